#include "storage/blob/blob-files.h"

#include <kj/debug.h>

namespace hearth::storage {

namespace {

constexpr kj::StringPtr HALF_DONE = ".part"_kj, HALF_RECEIVED = ".fetch"_kj;

kj::WriteMode modeOf(BlobFiles::Half half) {
  auto exclusive = kj::WriteMode::CREATE | kj::WriteMode::PRIVATE;
  return half == BlobFiles::Half::KEPT ? exclusive | kj::WriteMode::MODIFY : exclusive;
}

}  // namespace

BlobFiles::BlobFiles(const kj::Directory& directory, Entropy& entropy)
    : directory(directory),
      entropy(entropy) {
  for (auto& name: directory.listNames()) {
    if (name.endsWith(HALF_DONE) && directory.tryRemove(kj::Path(kj::str(name)))) ++removed;
  }
  if (removed > 0) directory.sync();
}

BlobFiles::Writing::Temporary::Temporary(
    const kj::Directory& directory, kj::StringPtr fileName, Half half)
    : directory(directory),
      path(half == Half::KEPT ? halfName(fileName) : kj::str(fileName, HALF_DONE)),
      file(directory.openFile(path, modeOf(half))),
      half(half) {}

BlobFiles::Writing::Temporary::~Temporary() noexcept(false) {
  if (!isRenamed && half == Half::REMOVED)
    unwinding.catchExceptionsIfUnwinding([&]() { directory.tryRemove(path); });
}

BlobFiles::Writing::Writing(kj::Badge<BlobFiles>, BlobFiles& files, const BlobKeys& keys,
    const ContentId& content, uint64_t paddedTo, Half half)
    : fileName(keys.fileName(content)),
      temporary(files.directory, fileName, half),
      writer(begin(files, keys, content, paddedTo)) {}

// What another writer has left and does not open is of no use.
kj::Own<SealedWriter> BlobFiles::Writing::begin(
    BlobFiles& files, const BlobKeys& keys, const ContentId& content, uint64_t paddedTo) const {
  if (temporary.file->stat().size > 0) {
    auto resumed = SealedWriter::resume(*temporary.file, keys, content, paddedTo);
    if (resumed) return kj::mv(*resumed);
    temporary.file->truncate(0);
  }
  return kj::heap<SealedWriter>(*temporary.file, keys, content, files.entropy, paddedTo);
}

void BlobFiles::Writing::commit() {
  writer->finish();
  temporary.file->sync();
  temporary.directory.transfer(kj::Path(kj::str(fileName)),
      kj::WriteMode::CREATE | kj::WriteMode::MODIFY, temporary.directory, temporary.path,
      kj::TransferMode::MOVE);
  temporary.isRenamed = true;
  temporary.directory.sync();
}

kj::Own<BlobFiles::Writing> BlobFiles::write(
    const BlobKeys& keys, const ContentId& content, uint64_t paddedTo) {
  return kj::heap<Writing>(kj::Badge<BlobFiles>(), *this, keys, content, paddedTo, Half::REMOVED);
}

kj::Own<BlobFiles::Writing> BlobFiles::receive(
    const BlobKeys& keys, const ContentId& content, uint64_t paddedTo) {
  return kj::heap<Writing>(kj::Badge<BlobFiles>(), *this, keys, content, paddedTo, Half::KEPT);
}

kj::String BlobFiles::halfName(kj::StringPtr fileName) { return kj::str(fileName, HALF_RECEIVED); }

BlobResult<kj::Own<SealedReader>> BlobFiles::open(
    const BlobKeys& keys, const ContentId& content, uint64_t paddedTo) const {
  KJ_IF_MAYBE(file, directory.tryOpenFile(kj::Path(keys.fileName(content))))
    return SealedReader::open(kj::mv(*file), keys, content, paddedTo);
  return std::unexpected(BlobFault{Errc::INTEGRITY_FAILED, "a file that is missing",
      keys.collection, blobId(keys.collection, content)});
}

// In this order: whoever cuts the power in between keeps a file that no key opens, or a name without a use.
bool BlobFiles::shred(kj::StringPtr fileName) {
  kj::Path path(kj::str(fileName));
  KJ_IF_MAYBE(file, directory.tryOpenFile(path, kj::WriteMode::MODIFY)) {
    kj::byte noise[SealedHeader::WRAPPED_BYTES];
    entropy.fill(noise);
    (*file)->write(SealedHeader::WRAPPED_AT, noise);
    (*file)->datasync();
    directory.remove(path);
    directory.sync();
    return true;
  }
  return false;
}

}  // namespace hearth::storage

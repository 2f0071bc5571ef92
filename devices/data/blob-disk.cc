#include "devices/data/blob-disk.h"

#include <algorithm>

namespace hearth::devices {

using storage::BlobResult;

BlobDisk::Files::Files(const kj::Directory& home, Entropy& entropy)
    : directory(home.openSubdir(kj::Path("blobs"),
          kj::WriteMode::CREATE | kj::WriteMode::MODIFY | kj::WriteMode::PRIVATE)),
      files(*directory, entropy) {}

BlobResult<void> BlobDisk::Files::read(
    const Sealed& blob, uint64_t offset, kj::ArrayPtr<kj::byte> out) {
  auto found = std::ranges::find(open, blob.content, &Open::content);
  if (found != open.end()) {
    open.splice(open.begin(), open, found);
  } else {
    auto& keys = *blob.keys;
    auto reader = files.open(keys.borrowed(), blob.content, blob.bytes);
    if (!reader) return std::unexpected(reader.error());
    open.push_front({blob.content, kj::mv(*reader)});
    if (open.size() > OPEN_MAX) open.pop_back();
  }
  return open.front().reader->read(offset, out);
}

void BlobDisk::Files::forget(const ContentId& content) {
  std::erase_if(open, [&](auto& each) { return each.content == content; });
}

}  // namespace hearth::devices

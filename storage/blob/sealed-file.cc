#include "storage/blob/sealed-file.h"

#include "crypto/primitives/aead.h"

#include <kj/debug.h>
#include <kj/encoding.h>

#include <algorithm>

namespace hearth::storage {

namespace {

using crypto::Bytes;
using crypto::SecretStream;
using crypto::XChaChaPoly;
using DataKey = crypto::Key<struct DataKeyTag>;

constexpr kj::StringPtr MAGIC = "HBL1"_kj, WRAPPING = "hearth/dek/v1"_kj;
constexpr size_t NONCE_BYTES = XChaChaPoly::Nonce::SIZE;
constexpr size_t SEALED_FULL_BYTES = SEALED_CHUNK_BYTES + SecretStream::MORE_BYTES;

static_assert(SealedHeader::WRAPPED_BYTES == NONCE_BYTES + DataKey::SIZE + XChaChaPoly::TAG_BYTES);

crypto::Buffer joined(Bytes a, Bytes b) {
  FlatWriter out;
  out.bytes(a).bytes(b);
  return out.finish();
}

crypto::Buffer adOf(const BlobId& id, uint64_t index) {
  return joined(id.asBytes(), crypto::Little(index).asBytes());
}

// An empty blob has one chunk, which says that it is the last.
uint64_t chunksOf(uint64_t length) {
  return kj::max(uint64_t{1}, (length + SEALED_CHUNK_BYTES - 1) / SEALED_CHUNK_BYTES);
}

SealedHeader newHeader(
    const BlobKeys& keys, const BlobId& id, const DataKey& dek, Entropy& entropy) {
  SealedHeader header{keys.collection, keys.epoch, {}, entropy.draw<SecretStream::Header>()};
  auto nonce = entropy.draw<XChaChaPoly::Nonce>();
  auto wrapped = kj::arrayPtr(header.wrapped, SealedHeader::WRAPPED_BYTES);
  memcpy(wrapped.begin(), nonce.bytes, NONCE_BYTES);
  XChaChaPoly::seal(keys.wrapping.reveal(), nonce, joined(WRAPPING.asBytes(), id.asBytes()),
      dek.reveal(), wrapped.slice(NONCE_BYTES, wrapped.size()));
  return header;
}

Result<crypto::Secret> unwrap(const SealedHeader& header, const BlobKeys& keys, const BlobId& id) {
  auto wrapped = kj::arrayPtr(header.wrapped, SealedHeader::WRAPPED_BYTES);
  auto nonce = XChaChaPoly::Nonce::from(wrapped.slice(0, NONCE_BYTES)).value();
  return XChaChaPoly::openSecret(keys.wrapping.reveal(), nonce,
      joined(WRAPPING.asBytes(), id.asBytes()), wrapped.slice(NONCE_BYTES, wrapped.size()));
}

struct OpenedHeader {
  SealedHeader header;
  crypto::Secret dek;
};

// Or why not.
std::expected<OpenedHeader, kj::StringPtr> openHeader(
    const kj::ReadableFile& file, const BlobKeys& keys, const BlobId& id) {
  kj::byte start[SealedHeader::ENCODED_BYTES];
  auto got = file.read(0, start);
  auto header = SealedHeader::parse(kj::arrayPtr(start, got));
  if (!header) return std::unexpected("a file that is no blob's"_kj);
  if (header->collection != keys.collection)
    return std::unexpected("a file of another collection"_kj);
  if (header->epoch != keys.epoch) return std::unexpected("a file of another epoch"_kj);
  auto dek = unwrap(*header, keys, id);
  if (!dek) return std::unexpected("a key that does not open"_kj);
  return OpenedHeader{*header, kj::mv(*dek)};
}

}  // namespace

BlobId blobId(const crypto::CollectionId& collection, const ContentId& content) {
  return crypto::hashAs<BlobId>("hearth/blob-id/v1", {collection.asBytes(), content.asBytes()});
}

BlobName BlobKeys::name(const ContentId& content) const {
  auto mac = crypto::mac(naming.reveal(), "hearth/blob-file/v1", {content.asBytes()});
  return BlobName::from(mac.asBytes()).value();
}

kj::String BlobKeys::fileName(const ContentId& content) const {
  return kj::encodeHex(name(content).asBytes());
}

crypto::Buffer SealedHeader::encode() const {
  FlatWriter out;
  out.bytes(MAGIC.asBytes()).u8(1).bytes(collection.asBytes()).bytes(epoch.asBytes());
  KJ_ASSERT(out.size() == WRAPPED_AT);
  out.bytes(kj::arrayPtr(wrapped, WRAPPED_BYTES)).bytes(stream.asBytes());
  return out.finish();
}

Result<SealedHeader> SealedHeader::parse(Bytes bytes) {
  FlatReader in(bytes);
  if (in.bytes(MAGIC.size()) != MAGIC.asBytes()) in.refuse();
  auto version = in.u8();
  SealedHeader header;
  header.collection = in.id<crypto::CollectionId>();
  header.epoch = in.id<EpochId>();
  auto wrapped = in.bytes(WRAPPED_BYTES);
  header.stream = in.id<SecretStream::Header>();
  if (auto end = in.finish(); !end) return no(end.error());
  if (version != 1) return no(Errc::BAD_VERSION, "a blob's file of another version");
  memcpy(header.wrapped, wrapped.begin(), WRAPPED_BYTES);
  return header;
}

uint64_t sealedBytes(uint64_t length) {
  return SealedHeader::ENCODED_BYTES + length + chunksOf(length) * SecretStream::MORE_BYTES;
}

// What is drawn for a new file.
struct SealedWriter::Start {
  DataKey dek;
  SealedHeader header;

  Start(const BlobKeys& keys, const BlobId& id, Entropy& entropy)
      : dek(DataKey::draw(entropy)),
        header(newHeader(keys, id, dek, entropy)) {}
};

SealedWriter::Sink SealedWriter::into(const kj::File& file) {
  return [&file](uint64_t at, Bytes bytes) { file.write(at, bytes); };
}

SealedWriter::SealedWriter(
    Sink sink, const BlobKeys& keys, const ContentId& content, Entropy& entropy, uint64_t paddedTo)
    : SealedWriter(kj::mv(sink), blobId(keys.collection, content), paddedTo,
          Start(keys, blobId(keys.collection, content), entropy)) {}

SealedWriter::SealedWriter(Sink sinkIn, const BlobId& id, uint64_t paddedTo, Start start)
    : sink(kj::mv(sinkIn)),
      id(id),
      stream(start.dek.reveal(), start.header.stream),
      left(paddedTo),
      plain(kj::heapArray<kj::byte>(kj::min(paddedTo, SEALED_CHUNK_BYTES))),
      sealed(kj::heapArray<kj::byte>(plain.size() + SecretStream::MORE_BYTES)) {
  sink(0, start.header.encode());
}

SealedWriter::SealedWriter(kj::Badge<SealedWriter>, const kj::File& file, const BlobId& id,
    uint64_t paddedTo, Bytes dek, const SecretStream::Header& header)
    : sink(into(file)),
      id(id),
      stream(dek, header),
      left(paddedTo),
      plain(kj::heapArray<kj::byte>(kj::min(paddedTo, SEALED_CHUNK_BYTES))),
      sealed(kj::heapArray<kj::byte>(plain.size() + SecretStream::MORE_BYTES)) {}

BlobResult<kj::Own<SealedWriter>> SealedWriter::resume(
    const kj::File& file, const BlobKeys& keys, const ContentId& content, uint64_t paddedTo) {
  auto id = blobId(keys.collection, content);
  auto opened = openHeader(file, keys, id);
  if (!opened)
    return std::unexpected(BlobFault{Errc::INTEGRITY_FAILED, opened.error(), keys.collection, id});
  auto writer = kj::heap<SealedWriter>(
      kj::Badge<SealedWriter>(), file, id, paddedTo, opened->dek.reveal(), opened->header.stream);
  writer->takeUp(file);
  return kj::mv(writer);
}

// What was not synced when the power went may be anything: every chunk is opened. The last one of a file is made
// anew.
void SealedWriter::takeUp(const kj::File& file) {
  auto size = file.stat().size;
  auto whole = size < SealedHeader::ENCODED_BYTES + SEALED_FULL_BYTES
      ? 0
      : (size - SealedHeader::ENCODED_BYTES) / SEALED_FULL_BYTES;
  whole = kj::min(whole, chunksOf(left) - 1);
  SecretStream::Link links{};
  for (; index < whole; ++index) {
    if (file.read(at, sealed) != sealed.size()) break;
    auto last = stream.open(adOf(id, index), sealed, plain);
    if (!last || *last) break;
    SecretStream::add(links, SecretStream::linkOf(sealed));
    at += SEALED_FULL_BYTES;
    left -= SEALED_CHUNK_BYTES;
  }
  stream.seek(static_cast<uint32_t>(index), links);
  file.truncate(at);
}

void SealedWriter::add(Bytes bytes) {
  KJ_REQUIRE(bytes.size() <= left, "more than was announced");
  left -= bytes.size();
  while (bytes.size() > 0) {
    if (filled == plain.size()) sealChunk(false);
    auto count = kj::min(bytes.size(), plain.size() - filled);
    memcpy(plain.begin() + filled, bytes.begin(), count);
    filled += count;
    bytes = bytes.slice(count, bytes.size());
  }
}

void SealedWriter::finish() {
  static constexpr kj::byte ZEROS[4'096] = {};
  while (left > 0) add(kj::arrayPtr(ZEROS, kj::min(left, sizeof(ZEROS))));
  sealChunk(true);
}

void SealedWriter::sealChunk(bool last) {
  auto out = sealed.slice(0, filled + SecretStream::MORE_BYTES);
  stream.seal(adOf(id, index), plain.slice(0, filled), last, out);
  sink(at, out);
  at += out.size();
  ++index;
  filled = 0;
}

BlobResult<kj::Own<SealedReader>> SealedReader::open(kj::Own<const kj::ReadableFile> file,
    const BlobKeys& keys, const ContentId& content, uint64_t paddedTo) {
  auto id = blobId(keys.collection, content);
  BlobFault fault{Errc::INTEGRITY_FAILED, nullptr, keys.collection, id};
  auto failed = [&](kj::StringPtr because) {
    fault.because = because;
    return std::unexpected(fault);
  };
  auto opened = openHeader(*file, keys, id);
  if (!opened) return failed(opened.error());
  if (file->stat().size != sealedBytes(paddedTo)) return failed("a file of another length");
  return kj::heap<SealedReader>(kj::Badge<SealedReader>(), kj::mv(file), fault, paddedTo,
      opened->dek.reveal(), opened->header.stream);
}

SealedReader::SealedReader(kj::Badge<SealedReader>, kj::Own<const kj::ReadableFile> file,
    BlobFault fault, uint64_t paddedTo, Bytes dek, const SecretStream::Header& header)
    : file(kj::mv(file)),
      fault(fault),
      length(paddedTo),
      chunks(chunksOf(paddedTo)),
      stream(dek, header),
      held(chunks),
      links{{}},
      plain(kj::heapArray<kj::byte>(SEALED_CHUNK_BYTES)),
      sealed(kj::heapArray<kj::byte>(SEALED_FULL_BYTES)) {}

std::unexpected<BlobFault> SealedReader::damaged(kj::StringPtr because) const {
  auto told = fault;
  told.because = because;
  return std::unexpected(told);
}

// Tags are read once each; eight bytes tell what a chunk leaves to those behind it.
BlobResult<void> SealedReader::seek(uint64_t chunk) {
  while (links.size() <= chunk) {
    kj::byte tag[16];
    auto end = SealedHeader::ENCODED_BYTES + links.size() * SEALED_FULL_BYTES;
    if (file->read(end - sizeof(tag), tag) != sizeof(tag)) return damaged("a file that was cut");
    auto sum = links.back();
    SecretStream::add(sum, SecretStream::linkOf(tag));
    links.push_back(sum);
  }
  stream.seek(static_cast<uint32_t>(chunk), links[chunk]);
  next = chunk;
  return {};
}

BlobResult<Bytes> SealedReader::openChunk(uint64_t chunk) {
  auto size = kj::min(SEALED_CHUNK_BYTES, length - chunk * SEALED_CHUNK_BYTES);
  if (chunk == held) return plain.slice(0, size);
  held = chunks;  // none
  if (auto sought = chunk == next ? BlobResult<void>() : seek(chunk); !sought)
    return std::unexpected(sought.error());
  auto in = sealed.slice(0, size + SecretStream::MORE_BYTES);
  next = chunks;  // nowhere, unless it opens
  if (file->read(SealedHeader::ENCODED_BYTES + chunk * SEALED_FULL_BYTES, in) != in.size())
    return damaged("a file that was cut");
  auto last = stream.open(adOf(fault.item, chunk), in, plain.slice(0, size));
  if (!last) return damaged("a chunk that does not open");
  if (*last != (chunk + 1 == chunks)) return damaged("a chunk that is the last, and is not");
  next = chunk + 1;
  held = chunk;
  return plain.slice(0, size);
}

BlobResult<void> SealedReader::read(uint64_t offset, kj::ArrayPtr<kj::byte> out) {
  KJ_REQUIRE(offset <= length && out.size() <= length - offset, "a range beyond the end");
  while (out.size() > 0) {
    auto opened = openChunk(offset / SEALED_CHUNK_BYTES);
    if (!opened) return std::unexpected(opened.error());
    auto begin = offset % SEALED_CHUNK_BYTES;
    auto count = kj::min(out.size(), opened->size() - begin);
    memcpy(out.begin(), opened->begin() + begin, count);
    out = out.slice(count, out.size());
    offset += count;
  }
  return {};
}

}  // namespace hearth::storage

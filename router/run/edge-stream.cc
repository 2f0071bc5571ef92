#include "router/run/edge-stream.h"

#include <kj/debug.h>

namespace hearth::router {

namespace {

constexpr uint8_t RESUME = 1;
constexpr uint8_t COMMIT = 2;

struct LengthPrefix {
  kj::byte bytes[4];
  explicit LengthPrefix(size_t length) {
    for (size_t i = 0; i < sizeof(bytes); ++i) bytes[i] = static_cast<kj::byte>(length >> (8 * i));
  }
};

}  // namespace

kj::Array<kj::byte> encode(const EdgeHeader& header) {
  FlatWriter out;
  out.u8(STREAM_KIND_EDGE).bytes(header.job.asBytes()).u8(header.edge).u8(header.producer);
  out.u32(header.producerAttempt).u32(header.consumerAttempt);
  return out.finish();
}

Result<EdgeHeader> decodeEdgeHeader(kj::ArrayPtr<const kj::byte> bytes) {
  FlatReader in(bytes);
  EdgeHeader header;
  if (in.u8() != STREAM_KIND_EDGE) in.refuse();
  header.job = in.id<JobId>();
  header.edge = in.u8();
  header.producer = in.u8();
  header.producerAttempt = in.u32();
  header.consumerAttempt = in.u32();
  if (auto whole = in.finish(); !whole) return no(whole.error());
  return header;
}

kj::Array<kj::byte> encode(const Resume& resume) {
  FlatWriter out;
  out.u8(RESUME).u64(resume.haveSeq);
  encode(out, resume.lineage);
  return out.finish();
}

Result<Resume> decodeResume(kj::ArrayPtr<const kj::byte> bytes) {
  FlatReader in(bytes);
  Resume resume;
  if (in.u8() != RESUME) in.refuse();
  resume.haveSeq = in.u64();
  resume.lineage = decodeLineage(in);
  if (auto whole = in.finish(); !whole) return no(whole.error());
  return resume;
}

kj::Array<kj::byte> encodeCommit(uint64_t seq) {
  FlatWriter out;
  out.u8(COMMIT).u64(seq);
  return out.finish();
}

Result<uint64_t> decodeCommit(kj::ArrayPtr<const kj::byte> bytes) {
  FlatReader in(bytes);
  if (in.u8() != COMMIT) in.refuse();
  auto seq = in.u64();
  if (auto whole = in.finish(); !whole) return no(whole.error());
  return seq;
}

kj::Promise<kj::Array<kj::byte>> readMessage(kj::AsyncInputStream& stream, size_t bytesMax) {
  kj::byte prefix[4];
  co_await stream.read(prefix, sizeof(prefix));
  FlatReader in(prefix);
  size_t length = in.u32();
  KJ_REQUIRE(length <= bytesMax, "an edge message over its limit", length, bytesMax);
  auto body = kj::heapArray<kj::byte>(length);
  co_await stream.read(body.begin(), body.size());
  co_return body;
}

kj::Promise<void> writeMessage(kj::AsyncOutputStream& stream, kj::ArrayPtr<const kj::byte> body) {
  LengthPrefix prefix(body.size());
  kj::ArrayPtr<const kj::byte> pieces[] = {prefix.bytes, body};
  co_await stream.write(pieces);
}

}  // namespace hearth::router

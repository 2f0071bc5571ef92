#pragma once
// The messages of one edge over one stream (docs/PROTOCOL.md, "Job edges"): `u32 length | body`.
//   producer to consumer   one frame each (frame.h)
//   consumer to producer   u8 1 | u64 haveSeq | lineage     RESUME, first and once
//                          u8 2 | u64 seq                   COMMIT
// and the header with which the consumer opens the stream.

#include "router/run/frame.h"

#include <kj/async-io.h>

namespace hearth::router {

// First byte of a lane stream's header: what the stream is for.
constexpr kj::byte STREAM_KIND_EDGE = 2;

struct EdgeHeader {
  JobId job;
  EdgeIndex edge = 0;
  StageIndex producer = 0;
  uint32_t producerAttempt = 0;
  uint32_t consumerAttempt = 0;
};

kj::Array<kj::byte> encode(const EdgeHeader& header);
Result<EdgeHeader> decodeEdgeHeader(kj::ArrayPtr<const kj::byte> bytes);

// Where a consumer goes on: it has every frame up to haveSeq, and `lineage` came with the newest of
// them that had one (empty: none yet, the producer starts from the beginning).
struct Resume {
  uint64_t haveSeq = 0;
  Lineage lineage;
};

kj::Array<kj::byte> encode(const Resume& resume);
Result<Resume> decodeResume(kj::ArrayPtr<const kj::byte> bytes);
kj::Array<kj::byte> encodeCommit(uint64_t seq);
Result<uint64_t> decodeCommit(kj::ArrayPtr<const kj::byte> bytes);

constexpr size_t CONTROL_BYTES_MAX = 8 << 10;  // RESUME with the longest lineage fits
constexpr size_t FRAME_BYTES_MAX = Frame::PAYLOAD_BYTES_MAX + CONTROL_BYTES_MAX;

// One message. Throws DISCONNECTED at the stream's end, FAILED on a length over `bytesMax`.
kj::Promise<kj::Array<kj::byte>> readMessage(kj::AsyncInputStream& stream, size_t bytesMax);

// `body` lives until the promise is done.
kj::Promise<void> writeMessage(kj::AsyncOutputStream& stream, kj::ArrayPtr<const kj::byte> body);

}  // namespace hearth::router

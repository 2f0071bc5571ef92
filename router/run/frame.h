#pragma once
// What travels over a job's edges: numbered frames, and on some of them the lineage from which the
// stages behind could be started anew (docs/PROTOCOL.md, "Job edges").
//
// A Checkpoint says: an instance of `stage` opened with `state` and fed from inUpto[i]+1 on each
// input goes on exactly as the one before, its next output frame being outSeq+1. The lineage of a
// frame is the checkpoint of the stage that made it, then those of all stages upstream that the
// checkpoint rests on. So whoever holds a frame can have everything behind it started again.

#include "core/base/flat.h"
#include "core/base/ids.h"

#include <kj/refcount.h>

#include <cstdint>
#include <vector>

namespace hearth::router {

using StageIndex = uint8_t;
using EdgeIndex = uint8_t;

struct Checkpoint {
  static constexpr size_t INPUTS_MAX = 8;
  static constexpr size_t STATE_BYTES_MAX = 64;

  StageIndex stage = 0;
  uint64_t outSeq = 0;
  std::vector<uint64_t> inUpto;  // by input port
  std::vector<kj::byte> state;   // the plugin's own, opaque

  bool operator==(const Checkpoint&) const = default;
};

using Lineage = std::vector<Checkpoint>;
constexpr size_t LINEAGE_STAGES_MAX = 32;

// Joins the lineages that a stage's inputs brought. A stage reached by two ways keeps the older of
// its two checkpoints, since both ways must be able to go on from it.
void join(Lineage& into, const Lineage& other);

void encode(FlatWriter& out, const Lineage& lineage);
Lineage decodeLineage(FlatReader& in);

// Immutable bytes held by the producer's buffer and by whoever is sending them at the moment.
class SharedBytes final: public kj::Refcounted {
 public:
  explicit SharedBytes(kj::Array<const kj::byte> bytes): bytes(kj::mv(bytes)) {}
  const kj::Array<const kj::byte> bytes;
};

struct Frame {
  static constexpr uint8_t END = 1;          // end of the stream; the payload is empty
  static constexpr uint8_t SEGMENT_END = 2;  // last frame of a segment
  static constexpr uint8_t CONTINUES = 4;    // the segment goes on where a forced cut left it
  static constexpr uint8_t UNFINISHED = 8;   // with SEGMENT_END: the next segment continues this
  static constexpr size_t PAYLOAD_BYTES_MAX = 16 << 20;

  uint64_t seq = 0;  // 1, 2, 3 ... on one edge
  uint8_t flags = 0;
  uint64_t ptsUs = 0;  // media time at the frame's end, from the stream's start
  Lineage lineage;     // empty: the stages behind cannot be started from here
  kj::Array<const kj::byte> payload;

  bool ends() const { return flags & END; }
};

// One frame as it stands on an edge, without the length before it:
//   u64 seq | u8 flags | u64 ptsUs | lineage | payload to the end
// lineage = list8 of: u8 stage | u64 outSeq | list8<u64> inUpto | var8 state
kj::Array<kj::byte> encode(const Frame& frame);

// Errors: BAD_FORMAT, BAD_LENGTH. The peer has broken the protocol: close its stream.
Result<Frame> decodeFrame(kj::ArrayPtr<const kj::byte> bytes);

}  // namespace hearth::router

#include "router/run/frame.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::router {

namespace {

constexpr uint8_t FLAGS_KNOWN =
    Frame::END | Frame::SEGMENT_END | Frame::CONTINUES | Frame::UNFINISHED;
constexpr size_t CHECKPOINT_BYTES_MIN = 1 + 8 + 1 + 1;

Checkpoint decodeCheckpoint(FlatReader& in) {
  Checkpoint checkpoint;
  checkpoint.stage = in.u8();
  checkpoint.outSeq = in.u64();
  auto inputs = in.count8(Checkpoint::INPUTS_MAX, sizeof(uint64_t));
  for (size_t i = 0; i < inputs; ++i) checkpoint.inUpto.push_back(in.u64());
  auto state = in.var8(Checkpoint::STATE_BYTES_MAX);
  checkpoint.state.assign(state.begin(), state.end());
  return checkpoint;
}

}  // namespace

void join(Lineage& into, const Lineage& other) {
  for (auto& checkpoint: other) {
    auto same = std::ranges::find(into, checkpoint.stage, &Checkpoint::stage);
    if (same == into.end()) {
      into.push_back(checkpoint);
    } else if (checkpoint.outSeq < same->outSeq) {
      *same = checkpoint;
    }
  }
}

void encode(FlatWriter& out, const Lineage& lineage) {
  KJ_REQUIRE(lineage.size() <= LINEAGE_STAGES_MAX, lineage.size());
  out.u8(static_cast<uint8_t>(lineage.size()));
  for (auto& checkpoint: lineage) {
    out.u8(checkpoint.stage).u64(checkpoint.outSeq);
    out.u8(static_cast<uint8_t>(checkpoint.inUpto.size()));
    for (auto upto: checkpoint.inUpto) out.u64(upto);
    out.var8(kj::arrayPtr(checkpoint.state.data(), checkpoint.state.size()));
  }
}

Lineage decodeLineage(FlatReader& in) {
  Lineage lineage;
  auto count = in.count8(LINEAGE_STAGES_MAX, CHECKPOINT_BYTES_MIN);
  for (size_t i = 0; i < count; ++i) lineage.push_back(decodeCheckpoint(in));
  return lineage;
}

kj::Array<kj::byte> encode(const Frame& frame) {
  KJ_REQUIRE(frame.payload.size() <= Frame::PAYLOAD_BYTES_MAX, frame.payload.size());
  FlatWriter out;
  out.u64(frame.seq).u8(frame.flags).u64(frame.ptsUs);
  encode(out, frame.lineage);
  out.bytes(frame.payload);
  return out.finish();
}

Result<Frame> decodeFrame(kj::ArrayPtr<const kj::byte> bytes) {
  FlatReader in(bytes);
  Frame frame;
  frame.seq = in.u64();
  frame.flags = in.u8();
  frame.ptsUs = in.u64();
  frame.lineage = decodeLineage(in);
  if (!in.good() || (frame.flags & ~FLAGS_KNOWN) || frame.seq == 0)
    return no(Errc::BAD_FORMAT, "a job frame whose header is not one");
  if (in.remaining().size() > Frame::PAYLOAD_BYTES_MAX)
    return no(Errc::BAD_LENGTH, "a job frame over its limit");
  frame.payload = kj::heapArray<const kj::byte>(in.remaining());
  return frame;
}

}  // namespace hearth::router

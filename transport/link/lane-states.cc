#include "transport/link/lane-states.h"

#include "core/base/flat.h"

#include <kj/debug.h>

namespace hearth::transport {

namespace {
constexpr size_t STATE_BYTES = 4 + 3 * 8 + 1;
constexpr uint8_t FIN_RECEIVED = 1;
}  // namespace

kj::Array<kj::byte> encode(const LaneStates& states) {
  KJ_REQUIRE(states.streams.size() <= LANE_STATES_MAX);
  FlatWriter out;
  out.u32(states.newestOfPeer).u16(static_cast<uint16_t>(states.streams.size()));
  for (auto& stream: states.streams) {
    out.u32(stream.id).u64(stream.received).u64(stream.taken).u64(stream.granted);
    out.u8(stream.finReceived ? FIN_RECEIVED : 0);
  }
  return out.finish();
}

Result<LaneStates> readLaneStates(kj::ArrayPtr<const kj::byte> bytes) {
  FlatReader in(bytes);
  LaneStates states{.newestOfPeer = in.u32()};
  auto count = in.count16(LANE_STATES_MAX, STATE_BYTES);
  StreamId before = 0;
  for (size_t i = 0; i < count; ++i) {
    StreamState stream{in.u32(), in.u64(), in.u64(), in.u64(), false};
    auto flags = in.u8();
    stream.finReceived = flags == FIN_RECEIVED;
    bool sound = stream.id > before && flags <= FIN_RECEIVED && stream.taken <= stream.received &&
        stream.received <= stream.granted;
    if (!sound) in.refuse();
    before = stream.id;
    states.streams.push_back(stream);
  }
  if (auto whole = in.finish(); !whole) return no(whole.error());
  return states;
}

}  // namespace hearth::transport

#pragma once
// What one side of a session knows of its streams, told to the other when the session goes on over another
// link: what was on its way when the old one was cut is lost, or has arrived, and only the receiver
// knows which.
//
//   u32 newest | list16<u32 id | u64 received | u64 taken | u64 granted | u8 flags>      ids ascending

#include "core/base/result.h"

#include <kj/array.h>

#include <cstdint>
#include <vector>

namespace hearth::transport {

using StreamId = uint32_t;

struct StreamState {
  StreamId id;
  uint64_t received;  // bytes that have arrived, without a gap
  uint64_t taken;     // of these, read by the stream's owner
  uint64_t granted;   // bytes that the peer may have sent
  bool finReceived;   // the peer's end has arrived, and with it all of its bytes

  bool operator==(const StreamState&) const = default;
};

struct LaneStates {
  StreamId newestOfPeer =
      0;  // of the streams that the reader of this has opened: the newest that came
  std::vector<StreamState> streams;

  bool operator==(const LaneStates&) const = default;
};

constexpr size_t LANE_STATES_MAX = 2 * 1'024;  // both sides' streams

kj::Array<kj::byte> encode(const LaneStates& states);

// Errors: BAD_FORMAT.
Result<LaneStates> readLaneStates(kj::ArrayPtr<const kj::byte> bytes);

}  // namespace hearth::transport

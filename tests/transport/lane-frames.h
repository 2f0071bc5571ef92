#pragma once
// Frames of lanes as tests carry them: copied out of the machine that made them.

#include "transport/link/lanes.h"

#include <kj/debug.h>

#include <deque>

namespace hearth::transport {

// When everything happens that does not depend on time.
inline const kj::TimePoint NOW = kj::origin<kj::TimePoint>() + 1 * kj::HOURS;

struct CarriedFrame {
  uint8_t type;
  kj::Array<kj::byte> body;
};

inline kj::Array<kj::byte> bodyOf(const Lanes::OutFrame& frame) {
  auto body = kj::heapArray<kj::byte>(frame.bodyBytes());
  frame.copyTo(body.begin());
  return body;
}

// The next frame of `from`, if it has one.
inline kj::Maybe<CarriedFrame> carriedFrom(Lanes& from, kj::TimePoint now = NOW) {
  auto frame = from.next(now);
  if (frame == nullptr) return nullptr;
  auto& moved = KJ_ASSERT_NONNULL(frame);
  return CarriedFrame{static_cast<uint8_t>(moved.type), bodyOf(moved)};
}

}  // namespace hearth::transport

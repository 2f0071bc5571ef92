#include "core/time/hlc.h"

namespace hearth {

namespace {

// A clock that is set before 1970 counts as 1970.
HlcStamp atWall(kj::Date wall) {
  auto ms = (wall - kj::UNIX_EPOCH) / kj::MILLISECONDS;
  return {ms > 0 ? static_cast<uint64_t>(ms) << HlcStamp::COUNT_BITS : 0};
}

}  // namespace

HlcStamp Hlc::tick(kj::Date wall) {
  // Counting past the 16 bits carries into the milliseconds, which is still greater.
  last = kj::max(atWall(wall), HlcStamp{last.value + 1});
  return last;
}

Result<void> Hlc::observe(HlcStamp stamp, kj::Date wall) {
  if (stamp > atWall(wall + AHEAD_MAX))
    return no(Errc::LIMIT_EXCEEDED, "a stamp from the far future: a clock there is wrong");
  last = kj::max(last, stamp);
  return {};
}

}  // namespace hearth

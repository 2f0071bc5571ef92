#include "devices/node/counter-machine.h"

namespace hearth::devices {

CounterSays judgeCounter(kj::Maybe<uint64_t> noted, kj::Maybe<uint64_t> stands) {
  KJ_IF_MAYBE(anchored, noted) {
    KJ_IF_MAYBE(now, stands) {
      if (*anchored == COUNTER_BEGINS) return CounterSays::UNFINISHED;
      if (*now > *anchored) return CounterSays::ROLLED_BACK;
      if (*now == *anchored) return CounterSays::FITS;
      return *anchored - *now == 1 ? CounterSays::UNFINISHED : CounterSays::OTHER;
    }
    return *anchored == COUNTER_BEGINS ? CounterSays::UNUSED : CounterSays::REMOVED;
  }
  return stands == nullptr ? CounterSays::UNUSED : CounterSays::ROLLED_BACK;
}

bool isBeyond(uint64_t noted, uint64_t began) { return began > noted && began - noted > 1; }

void CounterPace::changed(Of what, kj::TimePoint now) {
  auto at = now + SETTLES;
  KJ_IF_MAYBE(before, last)
    at = kj::max(at, *before + (what == Of::OPS ? BETWEEN_OPS : BETWEEN_ENTRIES));
  KJ_IF_MAYBE(already, next) at = kj::min(at, *already);
  next = at;
}

void CounterPace::stepped(kj::TimePoint now) {
  last = now;
  next = nullptr;
}

}  // namespace hearth::devices

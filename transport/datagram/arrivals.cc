#include "transport/datagram/arrivals.h"

#include <kj/debug.h>

namespace hearth::transport {

void Arrivals::came(uint64_t number, bool eliciting, kj::TimePoint now) {
  bool inTurn = numbers.isEmpty() ? number == floor : number == newest + 1;
  if (isNewest(number)) {
    newest = number;
    newestAt = now;
  }
  numbers.add({number, number + 1});
  if (numbers.count() > STRETCHES_MAX) {
    floor = numbers.all().front().end;
    numbers.removeBelow(floor);
  }
  if (!eliciting) return;
  if (untold++ == 0) due = now + ACK_DELAY_MAX;
  outOfTurn |= !inTurn;
}

kj::Maybe<kj::TimePoint> Arrivals::dueAt() const {
  if (untold == 0) return nullptr;
  if (outOfTurn || untold >= UNTOLD_MAX) return newestAt;
  return due;
}

Ack Arrivals::peek(kj::TimePoint now) const {
  KJ_REQUIRE(!numbers.isEmpty());
  Ack ack{.newest = newest, .delay = now - newestAt};
  auto& all = numbers.all();
  for (auto at = all.rbegin(); at != all.rend() && ack.count < Ack::RUNS_MAX; ++at)
    ack.runs[ack.count++] = *at;
  return ack;
}

void Arrivals::told() {
  untold = 0;
  outOfTurn = false;
}

void Arrivals::known(uint64_t newestThen) {
  // The newest stays: an acknowledgement needs one.
  auto below = kj::min(newestThen, newest);
  if (below <= floor) return;
  floor = below;
  numbers.removeBelow(floor);
}

}  // namespace hearth::transport

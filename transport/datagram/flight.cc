#include "transport/datagram/flight.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::transport {

void Flight::sent(Sent packet) {
  if (packet.eliciting) {
    inFlight += packet.bytes;
    ++elicitingInFlight;
    lastEliciting = packet.at;
  }
  packets.push_back({packet, true});
}

void Flight::close(Held& packet) {
  packet.open = false;
  if (!packet.eliciting) return;
  inFlight -= packet.bytes;
  --elicitingInFlight;
}

Result<Flight::Outcome*> Flight::acknowledged(
    const Ack& ack, const RoundTrip& roundTrip, kj::TimePoint now) {
  outcome.arrived.clear();
  outcome.lost.clear();
  outcome.roundTrip = nullptr;
  if (ack.newest >= nextNumber())
    return no(Errc::BAD_FORMAT, "an acknowledgement of what was never sent");
  for (auto& run: kj::arrayPtr(ack.runs, ack.count)) {
    for (auto number = std::max(run.begin, first); number < run.end; ++number) {
      auto& packet = packets[number - first];
      if (!packet.open) continue;
      close(packet);
      outcome.arrived.push_back(packet);
      if (number == ack.newest && packet.eliciting) outcome.roundTrip = now - packet.at;
    }
  }
  newestArrived = std::max(newestArrived.orDefault(0), ack.newest);
  findLost(roundTrip, now);
  return &outcome;
}

Flight::Outcome& Flight::overdue(const RoundTrip& roundTrip, kj::TimePoint now) {
  outcome.arrived.clear();
  outcome.lost.clear();
  outcome.roundTrip = nullptr;
  findLost(roundTrip, now);
  return outcome;
}

Flight::Outcome& Flight::abandon() {
  outcome.arrived.clear();
  outcome.lost.clear();
  outcome.roundTrip = nullptr;
  for (auto& packet: packets) {
    if (!packet.open) continue;
    close(packet);
    if (packet.eliciting) outcome.lost.push_back(packet);
  }
  lossAt = nullptr;
  forgetClosed();
  return outcome;
}

// Only what was sent before something that has arrived can be lost; the rest may be under way.
void Flight::findLost(const RoundTrip& roundTrip, kj::TimePoint now) {
  lossAt = nullptr;
  KJ_IF_MAYBE(newest, newestArrived) {
    auto delay = roundTrip.lossDelay();
    for (auto number = first; number < *newest && number < nextNumber(); ++number) {
      auto& packet = packets[number - first];
      if (!packet.open) continue;
      if (number + OVERTAKEN_BY <= *newest || now - packet.at >= delay) {
        close(packet);
        if (packet.eliciting) outcome.lost.push_back(packet);
      } else if (packet.eliciting) {
        lossAt = std::min(lossAt.orDefault(packet.at + delay), packet.at + delay);
      }
    }
  }
  forgetClosed();
}

void Flight::forgetClosed() {
  while (!packets.empty() && !packets.front().open) {
    packets.pop_front();
    ++first;
  }
}

const Sent& Flight::oldest() const {
  auto found = std::ranges::find_if(
      packets, [](const Held& packet) { return packet.open && packet.eliciting; });
  KJ_REQUIRE(found != packets.end());
  return *found;
}

}  // namespace hearth::transport

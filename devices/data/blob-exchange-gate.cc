// Of the exchange of blobs: how much goes, and when it rests.

#include "devices/data/blob-exchange.h"

#include <utility>

namespace hearth::devices {

kj::Maybe<kj::Promise<void>> BlobExchange::holdsBack(const DeviceId& peer) {
  if (around.gate.left(BulkGate::Way::UP, peer).bytes > 0) return nullptr;
  return around.gate.untilOpen(BulkGate::Way::UP, peer);
}

void BlobExchange::gave(const DeviceId& peer, size_t bytes) {
  around.gate.passed(BulkGate::Way::UP, peer, bytes);
}

// What comes from the reserve is on this device already.
BlobExchange::Left BlobExchange::left(Machine::PeerNumber peer, Machine::Time) {
  auto& device = peers.at(peer);
  return device.isZero() ? Left() : around.gate.left(BulkGate::Way::DOWN, device);
}

void BlobExchange::asked(Machine::PeerNumber peer, uint64_t bytes, Machine::Time) {
  auto& device = peers.at(peer);
  if (!device.isZero()) around.gate.passed(BulkGate::Way::DOWN, device, bytes);
}

void BlobExchange::gateChanged() {
  bool rests = around.gate.isResting();
  poke();
  if (rests == std::exchange(hasRested, rests)) return;
  streams.forEach([rests](const DeviceId&, BlobSession& session) {
    if (rests) {
      session.giveNothing();
    } else {
      session.hasAll();
    }
  });
}

bool BlobExchange::isWaiting() const {
  bool any = !active.empty();
  streams.forEach(
      [&any](const DeviceId&, const BlobSession& session) { any = any || session.hasRefused(); });
  return any;
}

}  // namespace hearth::devices

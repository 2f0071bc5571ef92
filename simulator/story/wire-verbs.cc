// The verbs of the wire: what is cut, slow, lossy, changed on its way or sent once more.

#include "crypto/handshake/records.h"
#include "simulator/story/verbs.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::sim {

void Verbs::cutBothWays(Device& a, Device& b, bool cut) {
  for (auto [from, to]: {std::pair(a.index(), b.index()), std::pair(b.index(), a.index())}) {
    if (cut) {
      run.world.terrain.cut(from, to);
    } else {
      run.world.terrain.mend(from, to);
    }
  }
}

kj::Promise<void> Verbs::cut(const Happening& h) {
  auto ends = h.other == nullptr ? others(*h.device) : std::vector<Device*>{h.other};
  for (auto end: ends) cutBothWays(*h.device, *end, true);
  came("cut");
  if (h.span == 0 * kj::SECONDS) co_return;
  co_await wait(h);
  for (auto end: ends) cutBothWays(*h.device, *end, false);
}

kj::Promise<void> Verbs::deafen(const Happening& h) {
  for (auto other: others(*h.device)) run.world.terrain.cut(other->index(), h.device->index());
  came("deafen");
  co_await wait(h);
  for (auto other: others(*h.device)) run.world.terrain.mend(other->index(), h.device->index());
}

kj::Promise<void> Verbs::mute(const Happening& h) {
  for (auto other: others(*h.device)) run.world.terrain.cut(h.device->index(), other->index());
  came("mute");
  co_await wait(h);
  for (auto other: others(*h.device)) run.world.terrain.mend(h.device->index(), other->index());
}

kj::Promise<void> Verbs::clog(const Happening& h) {
  run.world.terrain.clog(h.device->index(), h.amount > 1 ? h.amount : 100);
  came("clog");
  co_await wait(h);
  run.world.terrain.clog(h.device->index(), 1);
}

void Verbs::setTrouble(
    const Happening& h, uint32_t Trouble::* what, uint32_t permille, bool oneWay) {
  auto& terrain = run.world.terrain;
  auto self = h.device->index();
  for (auto other: h.other == nullptr ? others(*h.device) : std::vector<Device*>{h.other}) {
    terrain.trouble(self, other->index()).*what = permille;
    if (!oneWay) terrain.trouble(other->index(), self).*what = permille;
  }
}

// Of packets, segments or datagrams; a tenth where nothing is said.
kj::Promise<void> Verbs::trouble(const Happening& h, uint32_t Trouble::* what, bool oneWay) {
  setTrouble(h, what, h.amount > 0 ? static_cast<uint32_t>(h.amount) : 100, oneWay);
  came(h.what.c_str());
  if (h.span == 0 * kj::SECONDS) co_return;
  co_await wait(h);
  setTrouble(h, what, 0, oneWay);
}

kj::Promise<void> Verbs::lossy(const Happening& h) {
  return trouble(h, &Trouble::loss, h.other != nullptr);
}

kj::Promise<void> Verbs::duplicate(const Happening& h) {
  return trouble(h, &Trouble::duplicates, false);
}

kj::Promise<void> Verbs::reorder(const Happening& h) {
  return trouble(h, &Trouble::reordered, false);
}

kj::Promise<void> Verbs::tamper(const Happening& h) {
  return trouble(h, &Trouble::tampered, false);
}

kj::Promise<void> Verbs::rebind(const Happening& h) {
  for (auto network: h.networks) run.world.terrain.rebind(network);
  came("rebind");
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::portal(const Happening& h) {
  for (auto network: h.networks) run.world.terrain.setPortal(network, true);
  came("portal");
  co_await wait(h);
  for (auto network: h.networks) run.world.terrain.setPortal(network, false);
}

// Device after device is cut off, and in another order they come back (FoundationDB's swizzle-clog).
kj::Promise<void> Verbs::swizzle(const Happening& h) {
  auto leaving = shuffled(), returning = shuffled();
  auto pause = h.span / static_cast<int64_t>(2 * leaving.size() + 1);
  for (auto device: leaving) {
    for (auto other: others(*device)) cutBothWays(*device, *other, true);
    co_await run.world.time.after(pause);
  }
  came("swizzle");
  std::set<DeviceIndex> back;
  for (auto device: returning) {
    back.insert(device->index());
    for (auto other: others(*device)) {
      if (back.contains(other->index())) cutBothWays(*device, *other, false);
    }
    co_await run.world.time.after(pause);
  }
}

// Two halves that do not hear each other.
kj::Promise<void> Verbs::split(const Happening& h) {
  auto all = shuffled();
  auto half = all.size() / 2;
  auto set = [&](bool cut) {
    for (size_t a = 0; a < half; ++a) {
      for (size_t b = half; b < all.size(); ++b) cutBothWays(*all[a], *all[b], cut);
    }
  };
  set(true);
  came("split");
  co_await wait(h);
  set(false);
}

// Whoever carries packets for `other` has kept the newest call to `device`, and makes it again.
kj::Promise<void> Verbs::replayCall(const Happening& h) {
  constexpr auto ANSWER_WITHIN = 3 * kj::SECONDS;
  KJ_REQUIRE(h.other != nullptr, "replay-call needs other = where the call comes from");
  kj::Array<kj::byte> kept;
  KJ_IF_MAYBE(call, run.world.eavesdropper.callTo(h.device->index())) kept = kj::heapArray(*call);
  auto places = run.world.terrain.attachments(h.device->index());
  if (kept.size() == 0 || places.empty()) co_return;
  run.world.history.add(h.device->index(), "fault", "an old call is made again");
  kj::byte answer = 0;
  try {
    auto target = co_await h.other->network().parseAddress(h.device->address(places.front()));
    auto stream = co_await target->connect();
    co_await stream->write(kept.begin(), kept.size());
    came("replay-call");
    co_await run.world.time.after(ANSWER_WITHIN)
        .exclusiveJoin(stream->tryRead(&answer, 1, 1).ignoreResult());
  } catch (const kj::Exception& e) {
    if (e.getType() != kj::Exception::Type::DISCONNECTED) throw;
  }
  if (answer == static_cast<kj::byte>(crypto::RecordType::HS_RESP)) came("replay-answered");
}

}  // namespace hearth::sim

// What befalls devices: where they are, their power, disks, clocks and engines.

#include "simulator/story/verbs.h"

#include <kj/debug.h>

namespace hearth::sim {

kj::Promise<void> Verbs::move(const Happening& h) {
  run.world.history.add(h.device->index(), "step", "moves");
  h.device->put(h.networks);
  came("move");
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::plug(const Happening& h) {
  h.device->plug(true);
  if (!h.device->isOn() && !run.isDestroyed(*h.device)) h.device->powerOn();
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::unplug(const Happening& h) {
  h.device->plug(false);
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::kill(const Happening& h) {
  if (!h.device->runs() || !h.device->inCircle()) co_return;
  h.device->kill();
  came("kill");
  if (h.span == 0 * kj::SECONDS) co_return;
  co_await wait(h);
  h.device->start();
}

kj::Promise<void> Verbs::stop(const Happening& h) {
  if (!h.device->runs() || !h.device->inCircle()) co_return;
  h.device->stop();
  came("stop");
  if (h.span == 0 * kj::SECONDS) co_return;
  co_await wait(h);
  h.device->start();
}

kj::Promise<void> Verbs::powerOff(const Happening& h) {
  if (!h.device->isOn()) co_return;
  h.device->losePower();
  came("power-off");
  if (h.span == 0 * kj::SECONDS) co_return;
  co_await wait(h);
  if (!run.isDestroyed(*h.device)) h.device->powerOn();
}

kj::Promise<void> Verbs::powerOn(const Happening& h) {
  if (!run.isDestroyed(*h.device)) h.device->powerOn();
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::sleep(const Happening& h) {
  if (!h.device->isAwake()) co_return;
  h.device->sleep();
  came("sleep");
  if (h.span == 0 * kj::SECONDS) co_return;
  co_await wait(h);
  h.device->wake();
}

kj::Promise<void> Verbs::wake(const Happening& h) {
  h.device->wake();
  return kj::READY_NOW;
}

// The app is sent to the background: the system lets it go on a little, then suspends it.
kj::Promise<void> Verbs::background(const Happening& h) {
  auto goesOn = h.device->kind().backgroundFor;
  if (goesOn == 0 * kj::SECONDS) co_return;
  co_await run.world.time.after(goesOn);
  came("background");
  co_await sleep(h);
}

kj::Promise<void> Verbs::battery(const Happening& h) {
  h.device->setLevel(h.amount);
  h.device->plug(false);
  return kj::READY_NOW;
}

// Its user notices, after a while.
kj::Promise<void> Verbs::lowBattery(const Happening& h) {
  constexpr double LEVEL = 0.1;
  if (!h.device->kind().hasBattery()) co_return;
  came("low-battery");
  h.device->setLevel(LEVEL);
  h.device->plug(false);
  co_await wait(h);
  h.device->plug(true);
}

// Nothing of bulk goes meanwhile, once it has looked.
kj::Promise<void> Verbs::metered(const Happening& h) {
  constexpr auto LOOKS = 1 * kj::SECONDS;
  using Way = devices::BulkGate::Way;
  auto& device = *h.device;
  device.meter(true);
  KJ_DEFER(device.meter(false));
  co_await run.world.time.after(kj::min(LOOKS, h.span));
  auto passed = [&device]() -> kj::Maybe<uint64_t> {
    KJ_IF_MAYBE(node, device.node()) {
      auto& gate = node->data().gate();
      return gate.passedBytes(Way::UP) + gate.passedBytes(Way::DOWN);
    }
    return nullptr;
  };
  auto starts = device.starts;
  auto before = passed();
  co_await run.world.time.after(kj::max(h.span - LOOKS, 0 * kj::SECONDS));
  auto after = passed();
  if (before == nullptr || after == nullptr || device.starts != starts) co_return;
  came("metered");
  auto moved = KJ_ASSERT_NONNULL(after) - KJ_ASSERT_NONNULL(before);
  if (moved > 0)
    run.owners.complain(
        device, " has moved " + std::to_string(moved) + " bytes of bulk on a metered network");
}

kj::Promise<void> Verbs::destroy(const Happening& h) {
  run.destroyed.insert(h.device->index());
  h.device->losePower();
  came("destroy");
  return kj::READY_NOW;
}

// The device has booted, and nobody unlocks it: what starts from now on gets no key.
kj::Promise<void> Verbs::lockKeys(const Happening& h) {
  h.device->lockKeys();
  came("lock-keys");
  if (h.span == 0 * kj::SECONDS) co_return;
  co_await wait(h);
  h.device->unlockKeys();
}

kj::Promise<void> Verbs::unlockKeys(const Happening& h) {
  h.device->unlockKeys();
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::stepClock(const Happening& h) {
  constexpr double YEAR = 365.25 * 86'400;
  auto years = static_cast<double>(luck.below(21)) - 10;
  auto seconds = h.amount != 0 ? h.amount : years * YEAR;
  h.device->time.stepWall(static_cast<int64_t>(seconds) * kj::SECONDS);
  came("clock-step");
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::stopClock(const Happening& h) {
  h.device->time.stopWall();
  came("clock-stop");
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::fillDisk(const Happening& h) {
  h.device->disk.full = h.device->folders.image.full = true;
  came("disk-full");
  co_await wait(h);
  h.device->disk.full = h.device->folders.image.full = false;
}

kj::Promise<void> Verbs::failDisk(const Happening& h) {
  h.device->disk.failing = h.device->folders.image.failing = true;
  came("disk-fail");
  co_await wait(h);
  h.device->disk.failing = h.device->folders.image.failing = false;
}

kj::Promise<void> Verbs::slowDisk(const Happening& h) {
  auto usual = h.device->kind().syncTakes;
  h.device->disk.syncTakes =
      (h.amount > 0 ? static_cast<int64_t>(h.amount) : 500) * kj::MILLISECONDS;
  came("disk-slow");
  co_await wait(h);
  h.device->disk.syncTakes = usual;
}

// Bits of the database file flip while nobody looks.
kj::Promise<void> Verbs::rot(const Happening& h) {
  h.device->kill();
  h.device->disk.rot("hearth.db", h.amount > 0 ? static_cast<uint64_t>(h.amount) : 1);
  came("bit-rot");
  co_await wait(h);
  h.device->start();
  if (h.device->refusesToStart) came("refused-to-start");
}

kj::Promise<void> Verbs::backUp(const Happening& h) {
  h.device->backup = h.device->disk.contents();
  came("backup");
  return kj::READY_NOW;
}

// An older copy of the whole device is put back; whether it knows that by itself shows before it meets anybody.
kj::Promise<void> Verbs::restore(const Happening& h) {
  if (h.device->backup.empty()) co_return;
  h.device->kill();
  h.device->disk.restore(h.device->backup);
  came("restore");
  co_await wait(h);
  h.device->start();
  co_await run.world.time.after(1 * kj::SECONDS);
  KJ_IF_MAYBE(node, h.device->node()) came(node->circle().hasForgotten() ? "noticed" : "unnoticed");
}

// The database alone, beside an anchor that is newer.
kj::Promise<void> Verbs::restoreDatabase(const Happening& h) {
  if (h.device->backup.empty()) co_return;
  h.device->kill();
  auto isDatabase = [](auto& file) { return file.first.starts_with("hearth.db"); };
  auto files = h.device->disk.contents();
  std::erase_if(files, isDatabase);
  for (auto& file: h.device->backup) {
    if (isDatabase(file)) files.insert(file);
  }
  h.device->disk.restore(files);
  came("restore-database");
  co_await wait(h);
  h.device->start();
  co_await run.world.time.after(1 * kj::SECONDS);
  KJ_IF_MAYBE(node, h.device->node()) came(node->alarms().empty() ? "unnoticed" : "noticed");
}

kj::Promise<void> Verbs::crashEngine(const Happening& h) {
  h.device->engineFaults.framesToCrash = 1 + static_cast<uint32_t>(luck.below(100));
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::hangEngine(const Happening& h) {
  h.device->engineFaults.framesToHang = 1 + static_cast<uint32_t>(luck.below(100));
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::lieEngine(const Happening& h) {
  h.device->engineFaults.framesToLie = 1 + static_cast<uint32_t>(luck.below(20));
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::failEngineStart(const Happening& h) {
  h.device->engineFaults.startsThatFail = h.amount > 0 ? static_cast<uint32_t>(h.amount) : 1;
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::slow(const Happening& h) {
  h.device->power.slowDown(h.amount > 0 ? h.amount : 10);
  came("slow");
  co_await wait(h);
  h.device->power.slowDown(1);
}

}  // namespace hearth::sim

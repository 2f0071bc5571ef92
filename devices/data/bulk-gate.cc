#include "devices/data/bulk-gate.h"

#include <kj/debug.h>

namespace hearth::devices {

namespace table = storage::limits;

namespace {

bool isRate(uint64_t rate) {
  return rate == 0 || (table::RATE_LEAST <= rate && rate <= table::RATE_MOST);
}

}  // namespace

kj::Promise<void> BulkGate::start() {
  auto [said, resting] = co_await around.store.read(
      [](storage::Database& db) { return std::pair(table::all(db), table::resting(db)); });
  for (auto& [device, rates]: said)
    limits.insert_or_assign(device, Limit{rates, Pace(rates.up), Pace(rates.down)});
  rests = resting;
  co_await look();
  tell();
}

// Why

BulkGate::Reason BulkGate::reason() const {
  if (rests.pausedUntilMs > nowMs()) return Reason::PAUSED;
  KJ_IF_MAYBE(percent, seen.batteryPercent) {
    if (*percent < rests.belowPercent) return Reason::BATTERY;
  }
  return seen.isMetered && rests.onMetered ? Reason::METERED : Reason::NONE;
}

kj::Maybe<std::string> BulkGate::whyResting() const {
  switch (reason()) {
    case Reason::NONE:
      return nullptr;
    case Reason::PAUSED:
      return std::string("paused");
    case Reason::BATTERY:
      return std::string(
          kj::str("on battery at ", KJ_ASSERT_NONNULL(seen.batteryPercent), " %").cStr());
    case Reason::METERED:
      return std::string("on a metered network");
  }
  KJ_UNREACHABLE;
}

bool BulkGate::isOlderThan(kj::Duration age) const {
  return around.outlook != nullptr && around.timer.now() - seenAt >= age;
}

kj::Promise<void> BulkGate::looked() {
  watchOn();
  while (isOlderThan(2 * LOOKS_EVERY)) co_await changing.addBranch();
}

// How much

BulkGate::Left BulkGate::left(Way way, const DeviceId& peer) {
  watchOn();
  if (isResting() || isOlderThan(2 * LOOKS_EVERY)) return {0, nullptr};
  Left least;
  auto now = around.timer.now();
  for (auto& device: {DeviceId(), peer}) {
    auto found = limits.find(device);
    if (found == limits.end()) continue;
    auto& pace = found->second.of(way);
    auto bytes = pace.left(now);
    least.bytes = kj::min(least.bytes, bytes);
    auto again = now + pace.wait(now) + QUANTUM;
    if (bytes == 0) least.again = kj::max(again, least.again.orDefault(again));
  }
  return least;
}

void BulkGate::passed(Way way, const DeviceId& peer, uint64_t bytes) {
  (way == Way::UP ? sent : fetched) += bytes;
  auto now = around.timer.now();
  for (auto& device: {DeviceId(), peer}) {
    auto found = limits.find(device);
    if (found != limits.end()) found->second.of(way).passed(bytes, now);
  }
}

kj::Promise<void> BulkGate::untilOpen(Way way, DeviceId peer) {
  ++waiting;
  KJ_DEFER(--waiting);
  for (;;) {
    auto now = left(way, peer);
    if (now.bytes > 0) co_return;
    auto opens = changing.addBranch();
    KJ_IF_MAYBE(time, now.again) opens = opens.exclusiveJoin(around.timer.atTime(*time));
    co_await opens;
  }
}

// What its owner says

std::map<DeviceId, BulkGate::Rates> BulkGate::rates() const {
  std::map<DeviceId, Rates> all;
  for (auto& [device, limit]: limits) all.emplace(device, limit.rates);
  return all;
}

kj::Promise<Result<void>> BulkGate::setRates(DeviceId device, Rates rates) {
  if (!isRate(rates.up) || !isRate(rates.down))
    co_return no(
        Errc::BAD_FORMAT, "a limit is 32k (bytes a second) at least: hearth pause stops all");
  auto set = co_await around.store.write(
      [device, rates](storage::Database& db) { return table::set(db, device, rates); });
  if (!set) co_return no(set.error());
  if (rates == Rates()) {
    limits.erase(device);
  } else {
    limits.insert_or_assign(device, Limit{rates, Pace(rates.up), Pace(rates.down)});
  }
  tell();
  co_return Result<void>();
}

kj::Promise<Result<void>> BulkGate::setResting(Resting resting) {
  if (resting.belowPercent > table::BELOW_MAX)
    co_return no(Errc::BAD_FORMAT, "a battery has 0 to 100 %");
  co_await around.store.write([resting](storage::Database& db) { table::setResting(db, resting); });
  rests = resting;
  tell();
  co_return Result<void>();
}

// What is around it

void BulkGate::tell() {
  toldResting = isResting();
  KJ_IF_MAYBE(uses, user) uses->gateChanged();
  auto before = kj::mv(change.fulfiller);
  change = kj::newPromiseAndFulfiller<void>();
  changing = change.promise.fork();
  before->fulfill();
  watchOn();
}

bool BulkGate::isWaitedFor() const {
  KJ_IF_MAYBE(uses, user) {
    if (uses->isWaiting()) return true;
  }
  return waiting > 0;
}

// What nobody but its owner ends is not watched.
bool BulkGate::mayEndByItself() const {
  return isResting() && rests.pausedUntilMs != table::UNTIL_RESUMED;
}

void BulkGate::watchOn() {
  if (isWatching) return;
  bool isNeeded = mayEndByItself() && isWaitedFor();
  if (!isOlderThan(LOOKS_EVERY) && !isNeeded) return;
  isWatching = true;
  watching = watch().eagerlyEvaluate([](kj::Exception&& e) {
    KJ_LOG(ERROR, "battery and network are not looked at any more", e);
  });
}

void BulkGate::lookAgain() {
  seenAt = around.timer.now() - 2 * LOOKS_EVERY;
  isWatching = false;
  watchOn();
}

kj::Promise<void> BulkGate::look() {
  KJ_IF_MAYBE(source, around.outlook) seen = co_await source->look();
  seenAt = around.timer.now();
}

kj::Promise<void> BulkGate::watch() {
  for (;;) {
    bool isAwaited = isOlderThan(2 * LOOKS_EVERY);
    co_await look();
    if (isAwaited || isResting() != toldResting) tell();
    if (!mayEndByItself() || !isWaitedFor()) break;
    auto next = LOOKS_EVERY;
    if (reason() == Reason::PAUSED)
      next = kj::min(next, (rests.pausedUntilMs - nowMs()) * kj::MILLISECONDS);
    co_await around.timer.afterDelay(next);
  }
  isWatching = false;
}

}  // namespace hearth::devices

#include "devices/node/freshness-watch.h"

#include <kj/debug.h>

namespace hearth::devices {

FreshnessWatch::FreshnessWatch(Surroundings around, Freshness stored, bool isBehind)
    : around(around),
      fresh(kj::mv(stored)),
      heardAt(around.timer.now()),
      tasks(*this) {
  if (!isBehind) return;
  KJ_LOG(WARNING, "the database is older than it was: this device asks the others first");
  fresh.forgot = true;
}

void FreshnessWatch::start() {
  tasks.add(beat());
  if (fresh.forgot) saveSoon();
}

bool FreshnessWatch::isStale(kj::Duration after) const {
  auto silence = around.timer.now() - heardAt + static_cast<int64_t>(fresh.silenceS) * kj::SECONDS;
  return silence > after;
}

kj::Promise<void> FreshnessWatch::save() {
  auto copy = fresh;
  copy.silenceS += static_cast<uint64_t>((around.timer.now() - heardAt) / kj::SECONDS);
  return StoredCircle::writeFreshness(around.store, copy);
}

void FreshnessWatch::saveSoon() {
  tasks.add(save().catch_([](kj::Exception&& e) {
    KJ_LOG(WARNING, "how new this device is could not be stored", e.getDescription());
  }));
}

// The counter is on disk before anybody sees it.
kj::Promise<void> FreshnessWatch::beat() {
  auto& self = around.identity.keys;
  for (;;) {
    bool says = around.log.state()
                    .find(self.id)
                    .map([](auto& m) { return m.isActive() && m.role == crypto::Role::ADMIN; })
                    .orDefault(false);
    if (says && !fresh.forgot) {
      ++fresh.heartbeat;
      bool stored =
          co_await save().then([]() { return true; }, [](kj::Exception&&) { return false; });
      crypto::Heartbeat beat{around.log.circle(), self.id, fresh.heartbeat, around.log.heads()};
      if (stored) hear(beat.seal(self));
    }
    co_await around.timer.afterDelay(HEARTBEAT_EVERY);
  }
}

void FreshnessWatch::hear(crypto::Bytes heartbeat) {
  auto taken = beats.take(around.log, heartbeat);
  if (!taken || !*taken) return;
  heardAt = around.timer.now();
  if (fresh.silenceS > 0) {
    fresh.silenceS = 0;
    saveSoon();
  }
  around.observer.heartbeatCame();
}

void FreshnessWatch::quarantine(const DeviceId& peer) {
  if (fresh.quarantined.size() >= Freshness::QUARANTINED_MAX) return;
  if (!fresh.quarantined.insert(peer).second) return;
  KJ_LOG(WARNING, "a device is older than it was: it may have membership messages alone", peer);
  saveSoon();
}

void FreshnessWatch::lift(const DeviceId& peer) {
  if (fresh.quarantined.erase(peer) > 0) saveSoon();
}

void FreshnessWatch::forget() {
  if (fresh.forgot) return;
  KJ_LOG(
      WARNING, "this device is older than it was: it writes nothing before it knows what it wrote");
  fresh.forgot = true;
  saveSoon();
}

void FreshnessWatch::beginAfresh() {
  if (!fresh.forgot) return;
  fresh.forgot = false;
  // What the circle knows has happened: a disk that is full now does not undo it.
  saveSoon();
}

void FreshnessWatch::taskFailed(kj::Exception&& e) {
  KJ_LOG(ERROR, "no heartbeat is written any more", e);
}

}  // namespace hearth::devices

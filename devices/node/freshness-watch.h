#pragma once
// How new this device and the others are (SECURITY.md §5.7): who was put back to an older copy of its
// disk, and how long no admin was heard of.
//
//   admins:   beat() ──▶ a heartbeat every 24 h ──▶ everybody: hear()
//   a link:   what both know of each other's ops ──▶ quarantine(peer) or forget()

#include "crypto/membership/heartbeats.h"
#include "devices/node/stored-circle.h"

#include <kj/timer.h>

namespace hearth::devices {

class FreshnessWatch final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr kj::Duration HEARTBEAT_EVERY = 24 * kj::HOURS;

  class Observer {
   public:
    // A heartbeat of an admin is new here: pass it on.
    virtual void heartbeatCame() = 0;
  };

  // All outlive the watch.
  struct Surroundings {
    const crypto::MembershipLog& log;
    const Identity& identity;
    storage::Store& store;
    kj::Timer& timer;
    Observer& observer;
  };

  // `isBehind`: the disk holds less than it did once.
  FreshnessWatch(Surroundings around, Freshness stored, bool isBehind);

  // Says once a day that this device is there, if it is an admin.
  void start();

  // No admin was heard of for longer than that.
  bool isStale(kj::Duration after) const;
  bool isQuarantined(const DeviceId& device) const { return fresh.quarantined.contains(device); }
  bool hasForgotten() const { return fresh.forgot; }
  const crypto::Heartbeats& heartbeats() const { return beats; }

  void hear(crypto::Bytes heartbeat);
  // A peer knows less of itself than others do.
  void quarantine(const DeviceId& peer);
  void lift(const DeviceId& peer);
  // So does this device.
  void forget();
  // It goes on under keys that have forgotten nothing.
  void beginAfresh();

  // To be called now and then: how long no admin was heard of is remembered over restarts.
  kj::Promise<void> save();

 private:
  Surroundings around;
  Freshness fresh;
  crypto::Heartbeats beats;
  kj::TimePoint heardAt;  // of an admin's heartbeat, or the start
  kj::TaskSet tasks;

  kj::Promise<void> beat();
  void saveSoon();
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices

#pragma once
// This device's circle: the membership log in memory and on disk, the keys that follow from it, and
// the numbers that make handshakes unrepeatable. What links ask of a circle is answered here.

#include "crypto/membership/author.h"
#include "crypto/membership/exchange.h"
#include "devices/node/anchor.h"
#include "devices/node/freshness.h"
#include "devices/node/identity.h"
#include "devices/node/recovery-desk.h"
#include "storage/sql/store.h"
#include "transport/discovery/finder.h"
#include "transport/link/circle.h"

#include <kj/function.h>
#include <kj/timer.h>

#include <set>

namespace hearth::devices {

class CircleKeeper final: public transport::Circle,
                          public transport::Finder::Beacons,
                          private RecoveryDesk::Ledger,
                          private kj::TaskSet::ErrorHandler {
 public:
  // A disk that does not take what peers have brought is asked again.
  static constexpr kj::Duration STORE_AGAIN_AFTER = 10 * kj::SECONDS;

  class Observer {
   public:
    // Ops have come in, from here or from a peer: pass them on, drop who has no part any more.
    virtual void circleChanged() = 0;
    // This device was put back to an older copy of its disk, and has heard now what it had forgotten:
    // it is to take other keys (SECURITY.md §5.7).
    virtual void remembered() = 0;
    // A heartbeat of an admin is new here: pass it on.
    virtual void heartbeatCame() = 0;
  };

  static constexpr kj::Duration HEARTBEAT_EVERY = 24 * kj::HOURS;
  static constexpr kj::Duration STALE_AFTER = 7 * kj::DAYS;

  // What the disk held when the device started.
  struct Stored {
    CircleId circle;
    std::vector<crypto::Buffer> ops;
    std::map<DeviceId, uint64_t> acceptedCounters;
    Freshness freshness;
    uint64_t rows = 0;  // of the chain of ops, with the hash of the newest
    Digest hash;
  };

  // None when this device has no circle yet.
  // Errors: INTEGRITY_FAILED, ROLLBACK when the stored log was tampered with.
  static kj::Promise<Result<kj::Maybe<Stored>>> read(storage::Store& store);
  static Result<kj::Maybe<Stored>> readFrom(storage::Database& db);

  // All references outlive the keeper. Throws when a stored op does not fit the log.
  CircleKeeper(Stored stored, const Identity& identity, storage::Store& store, kj::Timer& timer,
      const kj::Clock& clock, Entropy& entropy, const kj::Directory& home, Observer& observer);

  // Says once a day that this device is there, if it is an admin.
  void start();

  // A new circle with this device as its admin. The recovery key signs and is forgotten.
  static kj::Promise<void> found(const crypto::RecoveryKeys& recovery, const Identity& identity,
      storage::Store& store, const kj::Clock& clock, Entropy& entropy);

  // A circle that this device was brought into: its log as pairing gave it.
  // Errors: those of the log; NOT_AUTHORISED when this device's Add does not stand in it.
  static kj::Promise<Result<void>> join(
      const CircleId& circle, crypto::Bytes log, const Identity& identity, storage::Store& store);

  // Puts a whole circle on a disk that held none.
  static kj::Promise<void> storeCircle(storage::Store& store, const crypto::MembershipLog& log);

  const crypto::MembershipLog& log() const { return membership; }
  const crypto::CircleState& state() const { return membership.state(); }
  // No admin was heard of for a week: this device may have missed its own removal, and neither runs
  // jobs nor sends any.
  bool isStale() const;
  // Found to be an older copy of itself: nothing but membership messages passes.
  bool isQuarantined(const DeviceId& device) const;
  // The same of this device.
  bool hasForgotten() const { return fresh.forgot; }
  // What its user should know, a line each.
  std::vector<std::string> alarms() const;
  // To be called now and then: how long no admin was heard of is remembered over restarts.
  kj::Promise<void> saveFreshness();

  const DeviceId& selfId() const { return identity.keys.id; }
  crypto::Role ownRole() const;
  bool isActive(const DeviceId& device) const;
  // Of how many epochs this device has the secret: none, for a VAULT.
  size_t epochSecretsHeld() const { return epochs.secretsHeld(); }
  // The newest initiation counter that was accepted from each device.
  const std::map<DeviceId, uint64_t>& accepted() const { return acceptedCounters; }

  // Each resolves when the ops are on disk; nobody sees them before, so that no crash makes this
  // device write another op under a number that a peer has seen. A disk that refuses them throws, and
  // nothing has happened.
  // Errors: NOT_AUTHORISED when the op would not apply; BAD_FORMAT.
  kj::Promise<Result<void>> addDevice(const crypto::Bundle& bundle, crypto::Bytes bundleEnvelope,
      crypto::Bytes joinEnvelope, crypto::Role role);
  kj::Promise<Result<void>> removeDevice(DeviceId target, crypto::RemoveReason reason);

  // Says that payload, and begins a new epoch where one is due by it. `make` is asked again with the
  // log that the op will stand on.
  // Errors: NOT_AUTHORISED; ROLLBACK while this device has forgotten; those of `make`.
  using MakePayload = kj::Function<Result<crypto::Payload>(const crypto::MembershipLog& log)>;
  kj::Promise<Result<void>> say(MakePayload make);

  // This device goes on as `next`, whose keys are on disk: its id is retired, and its role moves to the
  // new one. For an admin in one with the epoch that follows. Then the keeper is of no more use.
  kj::Promise<Result<void>> rotateTo(const Identity& next);

  // Makes a new epoch where one is due (SECURITY.md §5.5): after two halves of a circle have removed
  // devices apart from each other, every epoch is sealed to somebody who is out. For admins; others do
  // nothing.
  void renewEpoch();

  crypto::LinkSelf self() override;
  kj::Maybe<Member> find(const DeviceId& device) override;
  kj::Maybe<crypto::LinkInitiator::EpochPsk> epochWith(const DeviceId& device) override;
  kj::Promise<uint64_t> nextInitCounter() override;
  uint64_t lastInitCounter(const DeviceId& device) override;
  kj::Promise<void> acceptInitCounter(const DeviceId& device, uint64_t counter) override;
  kj::Own<transport::MembershipExchange> exchange(const DeviceId& peer, bool stranger) override;
  kj::Maybe<crypto::Beacon> ownBeacon(uint64_t slot) override;
  std::vector<crypto::DeviceBeacon> beaconsOfOthers(uint64_t slot) override;
  kj::Promise<void> answerRecovery(
      transport::Carrier& carrier, crypto::Buffer hello, crypto::EphemeralGuard& guard) override {
    return desk.answer(carrier, kj::mv(hello), guard);
  }

 private:
  class Exchange;
  const Identity& identity;
  crypto::BundleHash bundleHash;
  storage::Store& database;
  kj::Timer& timer;
  const kj::Clock& clock;
  Entropy& entropy;
  Observer& observer;
  crypto::MembershipLog membership;
  crypto::EpochKeys epochs;
  std::set<OpHash> stored;  // of the log's ops
  std::map<DeviceId, uint64_t> acceptedCounters;
  uint64_t nextCounter = 0, counterLimit = 0;  // the block that was reserved
  kj::ForkedPromise<void> turn;                // of writing ops, one at a time
  const kj::Directory& home;
  Freshness fresh;
  Anchor anchor;       // as it is on disk
  uint64_t owed = 0;   // ops that were on disk once, of a device that has forgotten
  uint64_t chainRows;  // of the stored chain
  Digest chainHash;
  crypto::Heartbeats beats;
  kj::TimePoint heardAt;  // of an admin's heartbeat, or the start
  bool storesAgain = false;
  RecoveryDesk desk{membership, identity, entropy, *this};
  kj::TaskSet tasks;

  // Ops of our own making, on top of a copy of the log that they are to be added to.
  using Authored = Result<std::vector<crypto::SealedOp>>;
  using Author = kj::Function<Authored(crypto::MembershipLog& log)>;

  int64_t wallMs() const;
  Result<void> take(crypto::Bytes envelope) override;
  static Result<void> apply(crypto::MembershipLog& log, const crypto::SealedOp& op);
  kj::Promise<Result<void>> inTurn(kj::Function<kj::Promise<Result<void>>()> write);
  kj::Promise<Result<void>> author(Author make);
  kj::Promise<Result<void>> authorNow(Author make);
  Author rotation(const Identity& next);
  kj::Promise<Result<void>> publish(std::vector<crypto::SealedOp> own);
  Result<void> addEpochIfDue(crypto::MembershipLog& log, std::vector<crypto::SealedOp>& ops);
  kj::Promise<void> beat();
  void hear(crypto::Bytes heartbeat);
  void quarantine(const DeviceId& peer);
  void forget();
  void remember();
  void writeAnchor();
  void saveSoon();
  kj::Promise<Result<void>> store(std::vector<crypto::SealedOp> own);
  kj::Promise<bool> kept() override;
  void keep();
  void keepLater();
  void grown() override { observer.circleChanged(); }
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices

#pragma once
// This device's circle: the membership log, the keys that follow from it, and the ops that this device
// writes. What links ask of a circle is answered here. What is on disk is in ops-on-disk.h, how new
// everybody is in freshness-watch.h.

#include "crypto/membership/author.h"
#include "crypto/membership/exchange.h"
#include "crypto/membership/names.h"
#include "crypto/membership/proposal.h"
#include "devices/node/freshness-watch.h"
#include "devices/node/init-counters.h"
#include "devices/node/ops-on-disk.h"
#include "devices/node/recovery-desk.h"
#include "transport/discovery/finder.h"
#include "transport/link/circle.h"

namespace hearth::devices {

class CircleKeeper final: public transport::Circle,
                          public transport::Finder::Beacons,
                          private RecoveryDesk::Ledger,
                          private kj::TaskSet::ErrorHandler {
 public:
  class Observer: public FreshnessWatch::Observer {
   public:
    // Ops have come in, from here or from a peer: pass them on, drop who has no part any more.
    virtual void circleChanged() = 0;
    // This device was put back to an older copy of its disk, and has heard now what it had forgotten:
    // it is to take other keys (SECURITY.md §5.7).
    virtual void remembered() = 0;
  };

  // All references outlive the keeper. Throws when a stored op does not fit the log, or the anchor is damaged.
  // `aside` and `counter` as AnchorKeeper has them.
  CircleKeeper(StoredCircle stored, const Identity& identity, storage::Store& store,
      kj::Timer& timer, const kj::Clock& clock, Entropy& entropy, const kj::Directory& home,
      Executor& aside, kj::Maybe<RollbackCounter&> counter, Observer& observer);

  // Whether the disk is an older copy of itself, as far as the counter outside it knows. Await it before
  // anything is said.
  kj::Promise<void> askCounter();

  // Says once a day that this device is there, if it is an admin.
  void start() { watch.start(); }

  const crypto::MembershipLog& log() const { return membership; }
  const crypto::CircleState& state() const { return membership.state(); }
  // No admin was heard of for as long as the policy lets a device go on alone: it may have missed its own
  // removal, and neither runs jobs nor sends any.
  bool isStale() const { return watch.isStale(policy().staleDays * kj::DAYS); }
  // What the owner allows. Where nobody has set anything, or where this device cannot read what was set (a
  // VAULT never can), what SECURITY.md §9.1 has.
  crypto::Policy policy() const;
  // The circle asks for a suite that this program does not speak: it takes no part before it is updated.
  bool isTooOld() const { return state().minSuite > crypto::SUITE_NEWEST; }
  // Found to be an older copy of itself: nothing but membership messages passes.
  bool isQuarantined(const DeviceId& device) const;
  // The same of this device.
  bool hasForgotten() const { return watch.hasForgotten(); }
  // What its user should know, a line each.
  std::vector<std::string> alarms() const;
  AnchorKeeper& rollbackAnchors() { return anchors; }
  // This device does not know what it has said under its keys, and nobody can tell it: it says nothing more under them,
  // and takes others as soon as it may.
  void doubtKeys();
  // What would show that this device was put back to an older copy.
  AnchorSources anchorSources() const;
  // To be called now and then: how long no admin was heard of is remembered over restarts.
  kj::Promise<void> saveFreshness() { return watch.save(); }

  const DeviceId& selfId() const { return identity.keys.id; }
  crypto::Role ownRole() const;
  bool isActive(const DeviceId& device) const;
  kj::Maybe<const crypto::EpochSecret&> secretOf(const EpochId& epoch) const {
    return epochs.secret(epoch);
  }
  // The secrets that this device holds: none, for a VAULT.
  const crypto::EpochKeys& epochKeys() const { return epochs; }
  // The newest initiation counter that was accepted from each device.
  const std::map<DeviceId, uint64_t>& accepted() const { return counters.accepted(); }

  // Each resolves when the ops are on disk; nobody sees them before, so that no crash makes this
  // device write another op under a number that a peer has seen. A disk that refuses them throws, and
  // nothing has happened.

  // Says it, and begins a new epoch where one is due by it. An Add is given its grants, and a Remove what
  // it knows of its target's history, and a policy is sealed, when it is written.
  // Errors: NOT_AUTHORISED when the op would not apply; BAD_FORMAT; ROLLBACK while this device has forgotten.
  kj::Promise<Result<void>> say(crypto::Payload payload);

  // What people call this device. Errors: EPOCH_UNKNOWN for a VAULT, which holds no key to seal it with.
  kj::Promise<Result<void>> sayName(std::string name);
  // Of every device that has said its name.
  std::map<DeviceId, std::string> names() { return said.in(membership, epochs); }

  // The same with the signature of another admin, who signs the draft. STALE when the log has grown since
  // it was made.
  Result<crypto::Op> draft(const crypto::Payload& payload, std::vector<DeviceId> cosigners);
  kj::Promise<Result<void>> sayCosigned(crypto::Op draft, crypto::Signature cosigned);
  // This device's signature under another's draft. Whether it gives it was decided before.
  crypto::Signature cosign(crypto::Bytes body) const;

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
  kj::Promise<uint64_t> nextInitCounter() override { return counters.next(); }
  uint64_t lastInitCounter(const DeviceId& device) override { return counters.lastOf(device); }
  kj::Promise<void> acceptInitCounter(const DeviceId& device, uint64_t counter) override {
    return counters.accept(device, counter);
  }
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
  const kj::Clock& clock;
  Entropy& entropy;
  Observer& observer;
  crypto::MembershipLog membership;
  crypto::EpochKeys epochs;
  crypto::Names said;  // what devices are called
  InitCounters counters;
  AnchorKeeper anchors;
  OpsOnDisk disk;
  FreshnessWatch watch;
  RecoveryDesk desk{membership, identity, entropy, *this};
  kj::TaskSet tasks;

  // Ops of our own making, on top of a copy of the log that they are to be added to.
  using Authored = Result<std::vector<crypto::SealedOp>>;
  using Author = kj::Function<Authored(crypto::MembershipLog& log)>;

  int64_t wallMs() const;
  Result<void> take(crypto::Bytes envelope) override;
  void liftBy(const crypto::OpRecord& record);
  static Result<void> apply(crypto::MembershipLog& log, const crypto::SealedOp& op);
  Result<crypto::Op> draftOn(const crypto::MembershipLog& log, const crypto::Payload& payload,
      std::vector<DeviceId> cosigners);
  Authored withEpochIfDue(crypto::MembershipLog& log, crypto::SealedOp op);
  kj::Promise<Result<void>> author(Author make);
  kj::Promise<Result<void>> authorNow(Author make);
  Author rotation(const Identity& next);
  kj::Promise<Result<void>> publish(std::vector<crypto::SealedOp> own);
  Result<void> addEpochIfDue(crypto::MembershipLog& log, std::vector<crypto::SealedOp>& ops);
  void remember();
  kj::Promise<bool> kept() override { return disk.kept(); }
  void grown() override { observer.circleChanged(); }
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices

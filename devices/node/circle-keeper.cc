#include "devices/node/circle-keeper.h"

#include "devices/node/own-bundle.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::devices {

namespace {

crypto::Bytes view(const std::vector<kj::byte>& bytes) {
  return kj::arrayPtr(bytes.data(), bytes.size());
}

}  // namespace

// The exchange of one link, with the ops that come in going straight to the log.
class CircleKeeper::Exchange final: public transport::MembershipExchange {
 public:
  Exchange(CircleKeeper& keeper, const DeviceId& peer, bool stranger)
      : keeper(keeper),
        peer(peer),
        machine(keeper.membership, peer, stranger, keeper.selfId(), keeper.watch.heartbeats()) {}

  kj::Array<kj::byte> heads() override { return machine.heads(); }

  Result<Step> confirmed(kj::ArrayPtr<const kj::byte> body) override {
    return apply(machine.confirmed(body));
  }

  Result<Step> received(kj::ArrayPtr<const kj::byte> bytes) override {
    return apply(machine.received(bytes));
  }

  kj::Array<kj::byte> news() override { return machine.news(); }

 private:
  CircleKeeper& keeper;
  DeviceId peer;
  crypto::LogExchange machine;

  Result<Step> apply(Result<crypto::LogExchange::Step> step) {
    if (!step) return no(step.error());
    if (step->peerIsBehind) keeper.watch.quarantine(peer);
    if (step->selfIsBehind) keeper.watch.forget();
    auto before = keeper.membership.size();
    for (auto& op: step->ops) {
      // An op that the log refuses is the author's fault or a stale one; the link goes on.
      if (auto taken = keeper.take(op); !taken)
        KJ_LOG(INFO, "a membership op was refused", taken.error().because);
    }
    if (keeper.membership.size() > before) {
      keeper.disk.keep();
      keeper.observer.circleChanged();
    }
    for (auto& beat: step->heartbeats) keeper.watch.hear(beat);
    if (step->done && keeper.hasForgotten()) keeper.remember();
    bool restricted = keeper.hasForgotten() || keeper.isQuarantined(peer);
    return Step{kj::mv(step->send), step->done, restricted};
  }
};

CircleKeeper::CircleKeeper(StoredCircle stored, const Identity& identity, storage::Store& store,
    kj::Timer& timer, const kj::Clock& clock, Entropy& entropy, const kj::Directory& home,
    Executor& aside, kj::Maybe<RollbackCounter&> counter, Observer& observer)
    : identity(identity),
      clock(clock),
      entropy(entropy),
      observer(observer),
      membership(stored.circle),
      counters(store, kj::mv(stored.acceptedCounters)),
      anchors({identity, timer, home, aside, counter}, stored),
      disk({membership, store, timer, anchors}),
      watch({membership, identity, store, timer, observer}, kj::mv(stored.freshness),
          anchors.isBehind()),
      tasks(*this) {
  for (auto& op: stored.ops) {
    auto taken = membership.add(op);
    KJ_REQUIRE(taken.has_value(), "the stored membership log is damaged", taken.error().because);
  }
  disk.loaded();
  epochs.learn(membership, identity.keys);
}

// That it was put back is on disk before the anchor hides it.
kj::Promise<void> CircleKeeper::askCounter() {
  if (co_await anchors.isOlderThanCounter()) {
    watch.forget();
    co_await watch.save();
  }
  co_await anchors.follow();
}

AnchorSources CircleKeeper::anchorSources() const {
  auto found = anchors.sources();
  found.witnesses = state().countActive() - (isActive(selfId()) ? 1 : 0);
  return found;
}

crypto::Role CircleKeeper::ownRole() const {
  return state()
      .find(selfId())
      .map([](auto& member) { return member.role; })
      .orDefault(crypto::Role::MEMBER);
}

bool CircleKeeper::isActive(const DeviceId& device) const {
  return state().find(device).map([](auto& member) { return member.isActive(); }).orDefault(false);
}

int64_t CircleKeeper::wallMs() const { return (clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS; }

Result<void> CircleKeeper::take(crypto::Bytes envelope) {
  auto before = membership.size();
  if (auto taken = membership.add(envelope); !taken) return no(taken.error());
  epochs.learn(membership, identity.keys);
  for (auto op = static_cast<crypto::OpIndex>(before); op < membership.size(); ++op)
    liftBy(membership.ops()[op]);
  return {};
}

// A copy of the device was found to be older and has written beside it: both were suspended. Whom an admin
// gives its part again it gives all of it.
void CircleKeeper::liftBy(const crypto::OpRecord& record) {
  auto* back = record.as<crypto::ReinstatePayload>();
  if (back != nullptr && membership.applies(record.sealed.hash)) watch.lift(back->target);
}

// Takes an op of our own making, which must apply.
Result<void> CircleKeeper::apply(crypto::MembershipLog& log, const crypto::SealedOp& op) {
  if (auto taken = log.add(view(op.envelope)); !taken) return no(taken.error());
  if (!log.applies(op.hash))
    return no(Errc::NOT_AUTHORISED, "this device may not do that in its circle");
  return {};
}

kj::Promise<Result<void>> CircleKeeper::author(Author make) {
  if (hasForgotten())
    return Result<void>(no(Errc::ROLLBACK,
        "this device was put back to an older copy of itself: it asks the others first"));
  return disk.inTurn([this, make = kj::mv(make)]() mutable { return authorNow(kj::mv(make)); });
}

kj::Promise<Result<void>> CircleKeeper::authorNow(Author make) {
  auto scratch = membership;
  auto own = make(scratch);
  if (!own) co_return no(own.error());
  co_return co_await publish(kj::mv(*own));
}

// On disk first; then it counts, and others are told.
kj::Promise<Result<void>> CircleKeeper::publish(std::vector<crypto::SealedOp> own) {
  co_await disk.write(own);
  for (auto& op: own) {
    if (auto taken = take(view(op.envelope)); !taken) co_return taken;
  }
  observer.circleChanged();
  co_return Result<void>();
}

Result<crypto::Op> CircleKeeper::draft(
    const crypto::Payload& payload, std::vector<DeviceId> cosigners) {
  return draftOn(membership, payload, kj::mv(cosigners));
}

Result<crypto::Op> CircleKeeper::draftOn(const crypto::MembershipLog& log,
    const crypto::Payload& payload, std::vector<DeviceId> cosigners) {
  if (auto* add = std::get_if<crypto::AddPayload>(&payload))
    return crypto::draftAdd(log, epochs, selfId(), kj::mv(cosigners), *add, wallMs(), entropy);
  if (auto* remove = std::get_if<crypto::RemovePayload>(&payload)) {
    auto removal = crypto::removalOf(log, remove->target, remove->reason);
    return crypto::draftChange(log, selfId(), kj::mv(cosigners), removal, wallMs());
  }
  if (auto* policy = std::get_if<crypto::PolicySetPayload>(&payload))
    return crypto::draftPolicy(
        log, epochs, selfId(), kj::mv(cosigners), *policy, wallMs(), entropy);
  return crypto::draftChange(log, selfId(), kj::mv(cosigners), payload, wallMs());
}

kj::Promise<Result<void>> CircleKeeper::say(crypto::Payload payload) {
  return author([this, payload = kj::mv(payload)](crypto::MembershipLog& log) -> Authored {
    auto op = draftOn(log, payload, {});
    if (!op) return no(op.error());
    return withEpochIfDue(log, crypto::sealOp(*op, identity.keys.ed));
  });
}

kj::Promise<Result<void>> CircleKeeper::sayName(std::string name) {
  return author([this, name = kj::mv(name)](crypto::MembershipLog& log) -> Authored {
    crypto::DeviceNames names{.name = kj::heapString(name.data(), name.size())};
    auto op = crypto::authorNames(log, epochs, identity.keys, names, wallMs(), entropy);
    if (!op) return no(op.error());
    return withEpochIfDue(log, kj::mv(*op));
  });
}

kj::Promise<Result<void>> CircleKeeper::sayCosigned(crypto::Op draft, crypto::Signature cosigned) {
  return author([this, draft = kj::mv(draft), cosigned](crypto::MembershipLog& log) -> Authored {
    auto next = log.draft(selfId());
    bool fits =
        next.seq == draft.seq && next.prevOwn == draft.prevOwn && next.parents == draft.parents;
    if (!fits) return no(Errc::STALE, "the circle has changed since that was signed");
    return withEpochIfDue(log, crypto::sealOp(draft, identity.keys.ed, kj::arrayPtr(&cosigned, 1)));
  });
}

crypto::Signature CircleKeeper::cosign(crypto::Bytes body) const {
  KJ_REQUIRE(!hasForgotten(), "a device that has forgotten signs nothing");
  return crypto::sign(identity.keys.ed, crypto::SigType::OP, body);
}

CircleKeeper::Authored CircleKeeper::withEpochIfDue(
    crypto::MembershipLog& log, crypto::SealedOp op) {
  if (auto applies = apply(log, op); !applies) return no(applies.error());
  std::vector ops{kj::mv(op)};
  if (auto added = addEpochIfDue(log, ops); !added) return no(added.error());
  return ops;
}

// An epoch that shuts somebody out is one with what put it out: neither is stored without the other.
Result<void> CircleKeeper::addEpochIfDue(
    crypto::MembershipLog& log, std::vector<crypto::SealedOp>& ops) {
  auto own = log.state().find(selfId());
  bool isAdmin =
      own.map([](auto& member) { return member.isActive() && member.role == crypto::Role::ADMIN; })
          .orDefault(false);
  if (!isAdmin || !log.state().epochDue()) return {};
  auto epoch = crypto::authorEpoch(log, epochs, identity.keys, wallMs(), entropy);
  if (!epoch) return no(epoch.error());
  if (auto applies = apply(log, *epoch); !applies) return no(applies.error());
  ops.push_back(kj::mv(*epoch));
  return {};
}

crypto::Policy CircleKeeper::policy() const {
  auto read = crypto::policyIn(membership, epochs);
  if (!read) return crypto::Policy();
  return kj::mv(*read).orDefault(crypto::Policy());
}

bool CircleKeeper::isQuarantined(const DeviceId& device) const {
  return watch.isQuarantined(device) && isActive(device);
}

std::vector<std::string> CircleKeeper::alarms() const {
  std::vector<std::string> lines;
  if (hasForgotten())
    lines.push_back(
        "this device was put back to an older copy of itself: it asks the others first");
  std::ranges::move(anchors.alarms(), std::back_inserter(lines));
  if (isStale())
    lines.push_back("no admin was heard of for " + std::to_string(policy().staleDays) +
        " days: bring this device near one; until then it runs nothing");
  if (isTooOld())
    lines.push_back("the circle asks for a newer version of Hearth: update it; until then it calls "
                    "nobody");
  if (ownRole() != crypto::Role::VAULT && !crypto::policyIn(membership, epochs))
    lines.push_back("the circle's policy cannot be read here: an admin should set it anew, with "
                    "hearth policy");
  if (epochs.wasCheated(membership))
    lines.push_back("the newest secret of the circle does not open here: remove who made it");
  bool isCloned = std::ranges::any_of(membership.ops().rivals(), [this](auto& rival) {
    auto& author = rival.first.first;
    return state().find(author).map([](auto& m) { return m.isSuspended(); }).orDefault(false);
  });
  if (isCloned)
    lines.push_back("a device has written two histories and is suspended: was it cloned or stolen? "
                    "hearth devices shows which; hearth remove it, or hearth reinstate it");
  return lines;
}

void CircleKeeper::doubtKeys() {
  watch.forget();
  remember();
}

// A peer has told all that it has.
void CircleKeeper::remember() {
  if (membership.size() < anchors.rowsOnce() || !isActive(selfId())) return;
  observer.remembered();
}

kj::Promise<Result<void>> CircleKeeper::rotateTo(const Identity& next) {
  auto rotated = co_await disk.inTurn([this, &next]() { return authorNow(rotation(next)); });
  if (rotated) watch.beginAfresh();
  co_return rotated;
}

CircleKeeper::Author CircleKeeper::rotation(const Identity& next) {
  return [this, &next](crypto::MembershipLog& log) -> Authored {
    auto rotation =
        crypto::authorRotate(log, epochs, identity.keys, next.keys, next.bundle, wallMs(), entropy);
    if (!rotation) return no(rotation.error());
    if (auto applies = apply(log, *rotation); !applies) return no(applies.error());
    std::vector ops{kj::mv(*rotation)};
    if (ownRole() != crypto::Role::ADMIN) return ops;
    crypto::EpochKeys known;
    known.learn(log, next.keys);
    auto epoch = crypto::authorEpoch(log, known, next.keys, wallMs(), entropy);
    if (!epoch) return no(epoch.error());
    if (auto applies = apply(log, *epoch); !applies) return no(applies.error());
    ops.push_back(kj::mv(*epoch));
    return ops;
  };
}

void CircleKeeper::renewEpoch() {
  if (hasForgotten()) return;
  auto isDue = [this](const crypto::MembershipLog& log) {
    return log.state().epochDue() && isActive(selfId()) && ownRole() == crypto::Role::ADMIN;
  };
  if (!isDue(membership)) return;
  tasks.add(author([this, isDue](crypto::MembershipLog& log) -> Authored {
    if (!isDue(log)) return std::vector<crypto::SealedOp>();
    auto epoch = crypto::authorEpoch(log, epochs, identity.keys, wallMs(), entropy);
    if (!epoch) return no(epoch.error());
    if (auto applies = apply(log, *epoch); !applies) return no(applies.error());
    return std::vector{*epoch};
  }).then([](Result<void> made) {
    if (!made) KJ_LOG(WARNING, "a new epoch is due and could not be made", made.error().because);
  }));
}

crypto::LinkSelf CircleKeeper::self() {
  auto bundle = ownBundle(state(), identity);
  bool battery = bundle.flags & crypto::Bundle::BATTERY;
  return {identity.keys.id, identity.keys.x, bundle.hash(), membership.circle(),
      battery ? crypto::REHANDSHAKE_BATTERY_S : crypto::REHANDSHAKE_MAINS_S,
      (bundle.flags & crypto::Bundle::AES_HW) != 0};
}

kj::Maybe<transport::Circle::Member> CircleKeeper::find(const DeviceId& device) {
  if (isTooOld()) return nullptr;  // of its suite nobody is known any more
  KJ_IF_MAYBE(member, state().find(device)) {
    bool suspended = member->isSuspended() || isQuarantined(device);
    auto standing = suspended ? Standing::SUSPENDED
        : member->isActive()  ? Standing::ACTIVE
                              : Standing::GONE;
    auto& bundle = member->bundle();
    return Member{
        standing, bundle.keys.x, bundle.hash(), (bundle.flags & crypto::Bundle::AES_HW) != 0};
  }
  return nullptr;
}

kj::Maybe<crypto::LinkInitiator::EpochPsk> CircleKeeper::epochWith(const DeviceId& device) {
  KJ_IF_MAYBE(epoch, state().epoch) {
    KJ_IF_MAYBE(psk, epochs.linkPsk(membership, selfId(), device)) {
      return crypto::LinkInitiator::EpochPsk{epoch->id, kj::mv(*psk)};
    }
  }
  return nullptr;
}

kj::Own<transport::MembershipExchange> CircleKeeper::exchange(const DeviceId& peer, bool stranger) {
  return kj::heap<Exchange>(*this, peer, stranger);
}

kj::Maybe<crypto::Beacon> CircleKeeper::ownBeacon(uint64_t slot) {
  return crypto::ownBeacon(membership, epochs, selfId(), slot);
}

std::vector<crypto::DeviceBeacon> CircleKeeper::beaconsOfOthers(uint64_t slot) {
  return crypto::beaconsOfOthers(membership, epochs, selfId(), slot);
}

void CircleKeeper::taskFailed(kj::Exception&& e) {
  KJ_LOG(ERROR, "a new epoch is due and could not be made", e);
}

}  // namespace hearth::devices

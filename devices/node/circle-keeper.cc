#include "devices/node/circle-keeper.h"

#include "storage/tables/counters.h"
#include "storage/tables/ops.h"
#include "storage/tables/settings.h"

#include <kj/debug.h>

namespace hearth::devices {

namespace {

constexpr kj::StringPtr CIRCLE_SETTING = "circle"_kj;
constexpr kj::StringPtr FRESHNESS_SETTING = "freshness"_kj;

crypto::Bytes view(const std::vector<kj::byte>& bytes) {
  return kj::arrayPtr(bytes.data(), bytes.size());
}

std::vector<crypto::Buffer> copyAll(const std::vector<crypto::Bytes>& envelopes) {
  std::vector<crypto::Buffer> copies;
  for (auto envelope: envelopes) copies.push_back(kj::heapArray<kj::byte>(envelope));
  return copies;
}

}  // namespace

// The exchange of one link, with the ops that come in going straight to the log.
class CircleKeeper::Exchange final: public transport::MembershipExchange {
 public:
  Exchange(CircleKeeper& keeper, const DeviceId& peer, bool stranger)
      : keeper(keeper),
        peer(peer),
        machine(keeper.membership, peer, stranger, keeper.selfId(), keeper.beats) {}

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
    if (step->peerIsBehind) keeper.quarantine(peer);
    if (step->selfIsBehind) keeper.forget();
    auto before = keeper.membership.size();
    for (auto& op: step->ops) {
      // An op that the log refuses is the author's fault or a stale one; the link goes on.
      if (auto taken = keeper.take(op); !taken)
        KJ_LOG(INFO, "a membership op was refused", taken.error().because);
    }
    if (keeper.membership.size() > before) {
      keeper.keep();
      keeper.observer.circleChanged();
    }
    for (auto& beat: step->heartbeats) keeper.hear(beat);
    if (step->done && keeper.hasForgotten()) keeper.remember();
    bool restricted = keeper.hasForgotten() || keeper.isQuarantined(peer);
    return Step{kj::mv(step->send), step->done, restricted};
  }
};

kj::Promise<void> CircleKeeper::storeCircle(
    storage::Store& store, const crypto::MembershipLog& log) {
  return store.write(
      [circle = log.circle(), ops = copyAll(log.envelopes())](storage::Database& db) {
        storage::settings::set(db, CIRCLE_SETTING, circle.asBytes());
        for (auto& op: ops) storage::ops::append(db, op);
      });
}

kj::Promise<Result<kj::Maybe<CircleKeeper::Stored>>> CircleKeeper::read(storage::Store& store) {
  return store.read([](storage::Database& db) { return readFrom(db); });
}

Result<kj::Maybe<CircleKeeper::Stored>> CircleKeeper::readFrom(storage::Database& db) {
  auto circle = storage::settings::get(db, CIRCLE_SETTING);
  if (circle == nullptr) return kj::Maybe<Stored>();
  auto id = CircleId::from(KJ_ASSERT_NONNULL(circle));
  if (!id) return no(Errc::INTEGRITY_FAILED, "the stored circle has no id");
  auto ops = storage::ops::all(db);
  if (!ops) return no(ops.error());
  Stored stored{*id, kj::mv(*ops), storage::counters::allAccepted(db)};
  KJ_IF_MAYBE(bytes, storage::settings::get(db, FRESHNESS_SETTING)) {
    auto fresh = Freshness::decode(*bytes);
    if (!fresh) return no(fresh.error());
    stored.freshness = kj::mv(*fresh);
  }
  auto& head = db.chains.at("ops");
  stored.rows = head.rows;
  stored.hash = head.hash;
  return kj::Maybe<Stored>(kj::mv(stored));
}

CircleKeeper::CircleKeeper(Stored stored, const Identity& identity, storage::Store& store,
    kj::Timer& timer, const kj::Clock& clock, Entropy& entropy, const kj::Directory& home,
    Observer& observer)
    : identity(identity),
      bundleHash(identity.bundle.hash()),
      database(store),
      timer(timer),
      clock(clock),
      entropy(entropy),
      observer(observer),
      membership(stored.circle),
      acceptedCounters(kj::mv(stored.acceptedCounters)),
      turn(kj::Promise<void>(kj::READY_NOW).fork()),
      home(home),
      fresh(kj::mv(stored.freshness)),
      chainRows(stored.rows),
      chainHash(stored.hash),
      heardAt(timer.now()),
      tasks(*this) {
  for (auto& op: stored.ops) {
    auto taken = membership.add(op);
    KJ_REQUIRE(taken.has_value(), "the stored membership log is damaged", taken.error().because);
  }
  for (auto& record: membership.ops()) this->stored.insert(record.sealed.hash);
  epochs.learn(membership, identity.keys);
  auto found = Anchor::read(home, identity.storage);
  KJ_REQUIRE(found.has_value(), "the rollback anchor is refused", found.error().because);
  KJ_IF_MAYBE(known, *found) {
    anchor = *known;
    bool behind = anchor.rows > chainRows || (anchor.rows == chainRows && anchor.hash != chainHash);
    if (behind) {
      KJ_LOG(WARNING, "the database is older than it was: this device asks the others first");
      owed = anchor.rows;
      fresh.forgot = true;
    }
  }
}

void CircleKeeper::start() {
  tasks.add(beat());
  if (fresh.forgot) saveSoon();
}

kj::Promise<void> CircleKeeper::found(const crypto::RecoveryKeys& recovery,
    const Identity& identity, storage::Store& store, const kj::Clock& clock, Entropy& entropy) {
  auto nowMs = (clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS;
  auto genesis = crypto::authorGenesis(recovery, identity.keys, identity.bundle, nowMs, entropy);
  crypto::MembershipLog log(crypto::circleIdOf(genesis.op.body()));
  KJ_ASSERT(log.add(view(genesis.envelope)).has_value());
  crypto::EpochKeys none;
  auto epoch = crypto::authorEpoch(log, none, identity.keys, nowMs, entropy);
  KJ_ASSERT(epoch.has_value() && log.add(view(epoch->envelope)).has_value());
  co_await storeCircle(store, log);
}

kj::Promise<Result<void>> CircleKeeper::join(const CircleId& circle, crypto::Bytes messages,
    const Identity& identity, storage::Store& store) {
  crypto::MembershipLog log(circle);
  auto ops = crypto::decodeLog(messages);
  if (!ops) co_return no(ops.error());
  for (auto& op: *ops) {
    if (auto taken = log.add(op); !taken) co_return no(taken.error());
  }
  auto own = log.state().find(identity.keys.id);
  bool active = own.map([](auto& member) { return member.isActive(); }).orDefault(false);
  if (!active) co_return no(Errc::NOT_AUTHORISED, "the circle's log does not bring this device in");
  co_await storeCircle(store, log);
  co_return Result<void>();
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
  if (auto taken = membership.add(envelope); !taken) return no(taken.error());
  epochs.learn(membership, identity.keys);
  return {};
}

// Takes an op of our own making, which must apply.
Result<void> CircleKeeper::apply(crypto::MembershipLog& log, const crypto::SealedOp& op) {
  if (auto taken = log.add(view(op.envelope)); !taken) return no(taken.error());
  if (!log.applies(op.hash))
    return no(Errc::NOT_AUTHORISED, "this device may not do that in its circle");
  return {};
}

kj::Promise<Result<void>> CircleKeeper::inTurn(kj::Function<kj::Promise<Result<void>>()> write) {
  auto done = turn.addBranch().then(kj::mv(write)).fork();
  turn = done.addBranch().ignoreResult().catch_([](kj::Exception&&) {}).fork();
  return done.addBranch();
}

kj::Promise<Result<void>> CircleKeeper::author(Author make) {
  if (fresh.forgot)
    return Result<void>(no(Errc::ROLLBACK,
        "this device was put back to an older copy of itself: it asks the others first"));
  return inTurn([this, make = kj::mv(make)]() mutable { return authorNow(kj::mv(make)); });
}

kj::Promise<Result<void>> CircleKeeper::authorNow(Author make) {
  auto scratch = membership;
  auto own = make(scratch);
  if (!own) co_return no(own.error());
  co_return co_await publish(kj::mv(*own));
}

// On disk first; then it counts, and others are told.
kj::Promise<Result<void>> CircleKeeper::publish(std::vector<crypto::SealedOp> own) {
  co_await store(own);
  for (auto& op: own) {
    stored.insert(op.hash);
    if (auto taken = take(view(op.envelope)); !taken) co_return taken;
  }
  observer.circleChanged();
  co_return Result<void>();
}

// Puts on disk what it has not: ops that came in, in the log's order, and `own` on top of them.
kj::Promise<Result<void>> CircleKeeper::store(std::vector<crypto::SealedOp> own) {
  std::vector<crypto::Buffer> fresh;
  std::vector<OpHash> hashes;
  auto envelopes = membership.envelopes();
  for (size_t i = 0; i < envelopes.size(); ++i) {
    auto& hash = membership.ops()[static_cast<crypto::OpIndex>(i)].sealed.hash;
    if (stored.contains(hash)) continue;
    hashes.push_back(hash);
    fresh.push_back(kj::heapArray<kj::byte>(envelopes[i]));
  }
  for (auto& op: own) fresh.push_back(kj::heapArray<kj::byte>(view(op.envelope)));
  if (!fresh.empty()) {
    auto head = co_await database.write([fresh = kj::mv(fresh)](storage::Database& db) {
      for (auto& op: fresh) storage::ops::append(db, op);
      return db.chains.at("ops");
    });
    chainRows = head.rows;
    chainHash = head.hash;
    writeAnchor();
  }
  stored.insert(hashes.begin(), hashes.end());
  co_return Result<void>();
}

// Ops that came in count at once; a full disk may take them later.
void CircleKeeper::keep() {
  auto stored = kept();  // and goes on by itself
}

kj::Promise<bool> CircleKeeper::kept() {
  auto stored = inTurn([this]() { return store({}); })
                    .then([](Result<void> done) { return done.has_value(); },
                        [this](kj::Exception&& e) {
                          KJ_LOG(WARNING, "membership ops are in memory until the disk takes them",
                              e.getDescription());
                          keepLater();
                          return false;
                        })
                    .fork();
  // Whoever asked may go away before the disk has answered.
  tasks.add(stored.addBranch().ignoreResult());
  return stored.addBranch();
}

void CircleKeeper::keepLater() {
  if (storesAgain) return;
  storesAgain = true;
  tasks.add(timer.afterDelay(STORE_AGAIN_AFTER).then([this]() {
    storesAgain = false;
    keep();
  }));
}

kj::Promise<Result<void>> CircleKeeper::addDevice(const crypto::Bundle& bundle,
    crypto::Bytes bundleEnvelope, crypto::Bytes joinEnvelope, crypto::Role role) {
  return author([this, bundle, bundleEnvelope = kj::heapArray<kj::byte>(bundleEnvelope),
                    joinEnvelope = kj::heapArray<kj::byte>(joinEnvelope),
                    role](crypto::MembershipLog& log) -> Authored {
    auto op = crypto::authorAdd(
        log, epochs, identity.keys, bundle, bundleEnvelope, joinEnvelope, role, wallMs(), entropy);
    if (!op) return no(op.error());
    if (auto applies = apply(log, *op); !applies) return no(applies.error());
    return std::vector{*op};
  });
}

// The removal and the epoch that shuts the device out are one: neither is stored without the other.
kj::Promise<Result<void>> CircleKeeper::removeDevice(DeviceId target, crypto::RemoveReason reason) {
  return say([target, reason](const crypto::MembershipLog& log) -> Result<crypto::Payload> {
    return crypto::Payload(crypto::removalOf(log, target, reason));
  });
}

kj::Promise<Result<void>> CircleKeeper::say(MakePayload make) {
  return author([this, make = kj::mv(make)](crypto::MembershipLog& log) mutable -> Authored {
    auto payload = make(log);
    if (!payload) return no(payload.error());
    std::vector ops{crypto::sealOp(
        crypto::draftChange(log, selfId(), {}, *payload, wallMs()), identity.keys.ed)};
    if (auto applies = apply(log, ops.front()); !applies) return no(applies.error());
    if (auto added = addEpochIfDue(log, ops); !added) return no(added.error());
    return ops;
  });
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

bool CircleKeeper::isStale() const {
  auto silence = timer.now() - heardAt + static_cast<int64_t>(fresh.silenceS) * kj::SECONDS;
  return silence > STALE_AFTER;
}

bool CircleKeeper::isQuarantined(const DeviceId& device) const {
  return fresh.quarantined.contains(device) && isActive(device);
}

std::vector<std::string> CircleKeeper::alarms() const {
  std::vector<std::string> lines;
  if (fresh.forgot)
    lines.push_back(
        "this device was put back to an older copy of itself: it asks the others first");
  if (isStale())
    lines.push_back("no admin was heard of for a week: bring this device near one; until then it "
                    "runs nothing");
  if (epochs.wasCheated(membership))
    lines.push_back("the newest secret of the circle does not open here: remove who made it");
  for (auto& rival: membership.ops().rivals()) {
    if (state()
            .find(rival.first.first)
            .map([](auto& m) { return m.isSuspended(); })
            .orDefault(false))
      lines.push_back(
          "a device has written two histories and is suspended: was it cloned or stolen?");
  }
  return lines;
}

kj::Promise<void> CircleKeeper::saveFreshness() {
  auto copy = fresh;
  copy.silenceS += static_cast<uint64_t>((timer.now() - heardAt) / kj::SECONDS);
  return database.write([bytes = copy.encode()](storage::Database& db) {
    storage::settings::set(db, FRESHNESS_SETTING, bytes);
  });
}

void CircleKeeper::saveSoon() {
  tasks.add(saveFreshness().catch_([](kj::Exception&& e) {
    KJ_LOG(WARNING, "how new this device is could not be stored", e.getDescription());
  }));
}

// The counter is on disk before anybody sees it.
kj::Promise<void> CircleKeeper::beat() {
  for (;;) {
    bool says = isActive(selfId()) && ownRole() == crypto::Role::ADMIN && !fresh.forgot;
    if (says) {
      ++fresh.heartbeat;
      bool stored = co_await saveFreshness().then(
          []() { return true; }, [](kj::Exception&&) { return false; });
      crypto::Heartbeat beat{membership.circle(), selfId(), fresh.heartbeat, membership.heads()};
      if (stored) hear(beat.seal(identity.keys));
    }
    co_await timer.afterDelay(HEARTBEAT_EVERY);
  }
}

void CircleKeeper::hear(crypto::Bytes heartbeat) {
  auto taken = beats.take(membership, heartbeat);
  if (!taken || !*taken) return;
  heardAt = timer.now();
  if (fresh.silenceS > 0) {
    fresh.silenceS = 0;
    saveSoon();
  }
  observer.heartbeatCame();
}

void CircleKeeper::quarantine(const DeviceId& peer) {
  if (fresh.quarantined.size() >= Freshness::QUARANTINED_MAX) return;
  if (!fresh.quarantined.insert(peer).second) return;
  KJ_LOG(WARNING, "a device is older than it was: it may have membership messages alone", peer);
  saveSoon();
}

void CircleKeeper::forget() {
  if (fresh.forgot) return;
  KJ_LOG(
      WARNING, "this device is older than it was: it writes nothing before it knows what it wrote");
  fresh.forgot = true;
  saveSoon();
}

// A peer has told all that it has.
void CircleKeeper::remember() {
  if (membership.size() < owed || !isActive(selfId())) return;
  observer.remembered();
}

void CircleKeeper::writeAnchor() {
  anchor = {anchor.counter + 1, chainRows, chainHash};
  KJ_IF_MAYBE(e, kj::runCatchingExceptions([&]() { anchor.write(home, identity.storage); }))
    KJ_LOG(WARNING, "the rollback anchor could not be written", e->getDescription());
}

kj::Promise<Result<void>> CircleKeeper::rotateTo(const Identity& next) {
  auto rotated = co_await inTurn([this, &next]() { return authorNow(rotation(next)); });
  if (rotated && fresh.forgot) {
    fresh.forgot = false;
    // What the circle knows has happened: a disk that is full now does not undo it.
    saveSoon();
  }
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
  if (fresh.forgot) return;
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
  bool battery = identity.bundle.flags & crypto::Bundle::BATTERY;
  return {identity.keys.id, identity.keys.x, bundleHash, membership.circle(),
      battery ? crypto::REHANDSHAKE_BATTERY_S : crypto::REHANDSHAKE_MAINS_S};
}

kj::Maybe<transport::Circle::Member> CircleKeeper::find(const DeviceId& device) {
  KJ_IF_MAYBE(member, state().find(device)) {
    bool suspended = member->isSuspended() || isQuarantined(device);
    auto standing = suspended ? Standing::SUSPENDED
        : member->isActive()  ? Standing::ACTIVE
                              : Standing::GONE;
    return Member{standing, member->bundle().keys.x, member->bundle().hash()};
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

kj::Promise<uint64_t> CircleKeeper::nextInitCounter() {
  while (nextCounter == counterLimit) {
    auto first = co_await database.write(
        [](storage::Database& db) { return storage::counters::reserveInitCounters(db); });
    // Two callers may have reserved at once: a block that is skipped costs nothing.
    nextCounter = first;
    counterLimit = first + storage::counters::INIT_COUNTER_BLOCK;
  }
  co_return nextCounter++;
}

uint64_t CircleKeeper::lastInitCounter(const DeviceId& device) {
  auto found = acceptedCounters.find(device);
  return found == acceptedCounters.end() ? 0 : found->second;
}

kj::Promise<void> CircleKeeper::acceptInitCounter(const DeviceId& device, uint64_t counter) {
  acceptedCounters[device] = counter;
  return database.write([device, counter](storage::Database& db) {
    storage::counters::setAccepted(db, device, counter);
  });
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
  KJ_LOG(ERROR, "membership could not be stored", e);
}

}  // namespace hearth::devices

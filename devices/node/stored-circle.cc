#include "devices/node/stored-circle.h"

#include "core/base/flat.h"
#include "crypto/membership/exchange.h"
#include "storage/tables/counters.h"
#include "storage/tables/ops.h"
#include "storage/tables/settings.h"

#include <kj/debug.h>

namespace hearth::devices {

namespace {

constexpr kj::StringPtr CIRCLE_SETTING = "circle"_kj;
constexpr kj::StringPtr FRESHNESS_SETTING = "freshness"_kj;
constexpr kj::StringPtr PROPOSALS_SETTING = "proposals"_kj;
constexpr kj::StringPtr ANCHORED_SETTING = "anchored"_kj;

crypto::Bytes view(const std::vector<kj::byte>& bytes) {
  return kj::arrayPtr(bytes.data(), bytes.size());
}

std::vector<crypto::Buffer> copyAll(const std::vector<crypto::Bytes>& envelopes) {
  std::vector<crypto::Buffer> copies;
  for (auto envelope: envelopes) copies.push_back(kj::heapArray<kj::byte>(envelope));
  return copies;
}

uint64_t readAnchored(storage::Database& db) {
  KJ_IF_MAYBE(bytes, storage::settings::get(db, ANCHORED_SETTING)) {
    FlatReader in(*bytes);
    auto counter = in.u64();
    if (in.finish()) return counter;
  }
  return 0;
}

}  // namespace

kj::Promise<Result<kj::Maybe<StoredCircle>>> StoredCircle::read(storage::Store& store) {
  return store.read([](storage::Database& db) { return readFrom(db); });
}

Result<kj::Maybe<StoredCircle>> StoredCircle::readFrom(storage::Database& db) {
  auto circle = storage::settings::get(db, CIRCLE_SETTING);
  if (circle == nullptr) return kj::Maybe<StoredCircle>();
  auto id = CircleId::from(KJ_ASSERT_NONNULL(circle));
  if (!id) return no(Errc::INTEGRITY_FAILED, "the stored circle has no id");
  auto ops = storage::ops::all(db);
  if (!ops) return no(ops.error());
  StoredCircle stored{*id, kj::mv(*ops), storage::counters::allAccepted(db)};
  KJ_IF_MAYBE(bytes, storage::settings::get(db, FRESHNESS_SETTING)) {
    auto fresh = Freshness::decode(*bytes);
    if (!fresh) return no(fresh.error());
    stored.freshness = kj::mv(*fresh);
  }
  KJ_IF_MAYBE(bytes, storage::settings::get(db, PROPOSALS_SETTING))
    stored.proposals = kj::mv(*bytes);
  stored.anchored = readAnchored(db);
  auto& head = db.chains.at("ops");
  stored.rows = head.rows;
  stored.hash = head.hash;
  return kj::Maybe<StoredCircle>(kj::mv(stored));
}

kj::Promise<void> StoredCircle::write(storage::Store& store, const crypto::MembershipLog& log) {
  return store.write(
      [circle = log.circle(), ops = copyAll(log.envelopes())](storage::Database& db) {
        storage::settings::set(db, CIRCLE_SETTING, circle.asBytes());
        for (auto& op: ops) storage::ops::append(db, op);
      });
}

kj::Promise<void> StoredCircle::found(const crypto::RecoveryKeys& recovery,
    const Identity& identity, storage::Store& store, const kj::Clock& clock, Entropy& entropy) {
  auto nowMs = (clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS;
  auto genesis = crypto::authorGenesis(recovery, identity.keys, identity.bundle, nowMs, entropy);
  crypto::MembershipLog log(crypto::circleIdOf(genesis.op.body()));
  KJ_ASSERT(log.add(view(genesis.envelope)).has_value());
  crypto::EpochKeys none;
  auto epoch = crypto::authorEpoch(log, none, identity.keys, nowMs, entropy);
  KJ_ASSERT(epoch.has_value() && log.add(view(epoch->envelope)).has_value());
  co_await write(store, log);
}

kj::Promise<Result<void>> StoredCircle::join(const CircleId& circle, crypto::Bytes messages,
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
  co_await write(store, log);
  co_return Result<void>();
}

kj::Promise<void> StoredCircle::writeFreshness(storage::Store& store, const Freshness& fresh) {
  return store.write([bytes = fresh.encode()](storage::Database& db) {
    storage::settings::set(db, FRESHNESS_SETTING, bytes);
  });
}

void StoredCircle::writeAnchored(storage::Database& db, uint64_t counter) {
  FlatWriter out;
  out.u64(counter);
  storage::settings::set(db, ANCHORED_SETTING, out.asBytes());
}

kj::Promise<void> StoredCircle::writeProposals(storage::Store& store, crypto::Buffer proposals) {
  return store.write([bytes = kj::mv(proposals)](storage::Database& db) {
    storage::settings::set(db, PROPOSALS_SETTING, bytes);
  });
}

}  // namespace hearth::devices

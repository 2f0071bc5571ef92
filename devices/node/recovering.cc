#include "devices/node/recovering.h"

#include "storage/tables/ops.h"
#include "transport/link/carrier.h"

#include <kj/debug.h>

namespace hearth::devices {

namespace {

constexpr kj::Duration RECOVER_WITHIN = 60 * kj::SECONDS;

crypto::Bytes view(const std::vector<kj::byte>& bytes) {
  return kj::arrayPtr(bytes.data(), bytes.size());
}

int64_t wallMsOf(const kj::Clock& clock) {
  return (clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS;
}

Result<void> applied(crypto::MembershipLog& log, const crypto::SealedOp& op) {
  if (auto taken = log.add(view(op.envelope)); !taken) return no(taken.error());
  if (!log.applies(op.hash))
    return no(Errc::NOT_AUTHORISED, "the circle's log does not let its recovery key do that");
  return {};
}

// The conversation, up to the log and from the ops on.
class Call final {
 public:
  Call(kj::Own<kj::AsyncIoStream> stream, crypto::RecoveryCaller::Setup setup, Entropy& entropy)
      : carrier(kj::mv(stream)),
        machine(kj::mv(setup), entropy, guard) {}

  kj::Promise<Result<crypto::Buffer>> log() {
    co_await carrier.write(machine.hello());
    for (;;) {
      auto effects = co_await next();
      if (!effects) co_return no(effects.error());
      KJ_IF_MAYBE(log, effects->log) co_return kj::mv(*log);
    }
  }

  kj::Promise<bool> tell(crypto::Buffer ops) {
    for (auto& record: machine.push(ops)) co_await carrier.write(kj::mv(record));
    auto effects = co_await next();
    co_return effects && effects->taken;
  }

 private:
  crypto::EphemeralGuard guard{[]() { KJ_FAIL_REQUIRE("an ephemeral key came twice"); }};
  transport::Carrier carrier;
  crypto::RecoveryCaller machine;

  kj::Promise<Result<crypto::RecoveryCaller::Effects>> next() {
    Result<transport::Record> record = no(Errc::DECRYPT_FAILED,
        "the device there has another recovery key: the words were replaced, or are another circle's");
    try {
      record = co_await carrier.read(crypto::DATA_BYTES_MAX);
    } catch (const kj::Exception& e) {
      // The other side closes without a word.
      if (e.getType() != kj::Exception::Type::DISCONNECTED) throw;
    }
    if (!record) co_return no(record.error());
    auto effects = machine.take(record->type, record->body);
    if (!effects) co_return no(effects.error());
    for (auto& out: effects->send) co_await carrier.write(kj::mv(out));
    effects->send.clear();
    co_return kj::mv(effects);
  }
};

crypto::Buffer encode(const std::vector<crypto::SealedOp>& ops) {
  constexpr uint8_t KIND_OP = 3;
  kj::Vector<kj::byte> messages;
  for (auto& op: ops) messages.addAll(crypto::writeMessage(KIND_OP, view(op.envelope)));
  return messages.releaseAsArray();
}

kj::Promise<Result<bool>> recoverUnhurried(kj::Own<kj::AsyncIoStream> stream,
    const RecoveryChange& change, const Identity& identity, storage::Store& store,
    const kj::Clock& clock, Entropy& entropy) {
  Call call(kj::mv(stream), {change.old, identity.keys, identity.bundle}, entropy);
  auto messages = co_await call.log();
  if (!messages) co_return no(messages.error());
  auto log = readCircle(*messages);
  if (!log) co_return no(log.error());
  auto ops = beginAnew(**log, change, identity, wallMsOf(clock), entropy);
  if (!ops) co_return no(ops.error());
  co_await StoredCircle::write(store, **log);
  // From here on the circle is this device's, whoever knows it.
  co_return co_await kj::evalNow([&]() {
    return call.tell(encode(*ops));
  }).catch_([](kj::Exception&&) { return false; });
}

}  // namespace

Result<std::vector<crypto::SealedOp>> beginAnew(crypto::MembershipLog& log,
    const RecoveryChange& change, const Identity& admin, int64_t wallMs, Entropy& entropy) {
  auto current = log.state().recovery.map([](auto& key) { return key.id; }).orDefault(DeviceId());
  if (current != change.old.id)
    return no(Errc::NOT_AUTHORISED,
        "these words were replaced, or are another circle's: take the newest ones");
  auto reset = crypto::authorReset(log, change.old, change.next, admin.keys, admin.bundle, wallMs);
  if (auto good = applied(log, reset); !good) return no(good.error());
  crypto::EpochKeys known;
  known.learn(log, change.old);
  auto epoch = crypto::authorEpoch(log, known, admin.keys, wallMs, entropy);
  if (!epoch) return no(epoch.error());
  if (auto good = applied(log, *epoch); !good) return no(good.error());
  return std::vector{kj::mv(reset), kj::mv(*epoch)};
}

Result<kj::Own<crypto::MembershipLog>> readCircle(crypto::Bytes messages) {
  auto ops = crypto::decodeLog(messages);
  if (!ops) return no(ops.error());
  if (ops->empty()) return no(Errc::BAD_FORMAT, "a circle without a beginning");
  auto genesis = crypto::SealedOp::open(ops->front());
  if (!genesis) return no(genesis.error());
  if (genesis->op.kind != crypto::OpKind::GENESIS)
    return no(Errc::BAD_FORMAT, "a circle without a beginning");
  auto log = kj::heap<crypto::MembershipLog>(crypto::circleIdOf(genesis->op.body()));
  for (auto& op: *ops) {
    if (auto taken = log->add(op); !taken) return no(taken.error());
  }
  return kj::mv(log);
}

kj::Promise<Result<bool>> recoverFrom(kj::Timer& timer, kj::Own<kj::AsyncIoStream> stream,
    const RecoveryChange& change, const Identity& identity, storage::Store& store,
    const kj::Clock& clock, Entropy& entropy) {
  return timer.timeoutAfter(
      RECOVER_WITHIN, recoverUnhurried(kj::mv(stream), change, identity, store, clock, entropy));
}

kj::Promise<Result<void>> recoverHere(const kj::Directory& home, StoredCircle stored,
    const RecoveryChange& change, const Identity& identity, storage::Store& store,
    const kj::Clock& clock, Entropy& entropy) {
  crypto::MembershipLog log(stored.circle);
  for (auto& op: stored.ops) {
    if (auto taken = log.add(op); !taken) co_return no(taken.error());
  }
  auto next = identity.makeNext(home, entropy);
  auto ops = beginAnew(log, change, next, wallMsOf(clock), entropy);
  if (!ops) {
    Identity::dropNext(home);
    co_return no(ops.error());
  }
  co_await store.write([&ops](storage::Database& db) {
    for (auto& op: *ops) storage::ops::append(db, view(op.envelope));
  });
  Identity::adoptNext(home);
  co_return Result<void>();
}

}  // namespace hearth::devices

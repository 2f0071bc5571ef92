#include "crypto/pairing/recovery-caller.h"
#include "crypto/pairing/recovery-host.h"
#include "crypto/primitives/hash.h"
#include "tests/crypto/small-circle.h"

#include <catch2/catch_test_macros.hpp>
#include <deque>

namespace hearth::crypto {
namespace {

// Somebody with recovery keys calls a device of the circle, record by record.
struct Recovering {
  Circle circle;
  Device fresh{8};
  EphemeralGuard guard{[]() {}};
  RecoveryKey known;
  RecoveryCaller caller;
  RecoveryHost host;
  std::deque<Buffer> toHost, toCaller;
  kj::Maybe<Buffer> log, ops;
  kj::Maybe<Error> refusal;
  bool proved = false, taken = false;

  explicit Recovering(const RecoveryKeys& held, const RecoveryKeys& circles)
      : known{circles.id, circles.edPk, circles.xwPk},
        caller({held, fresh.keys, fresh.bundle}, fresh.entropy, guard),
        host({known, circle.phone.keys, circle.phone.bundle}, circle.phone.entropy, guard) {
    toHost.push_back(caller.hello());
    run();
  }

  template <typename Machine, typename Use>
  void deliver(std::deque<Buffer>& from, std::deque<Buffer>& to, Machine& machine, Use&& use) {
    auto record = kj::mv(from.front());
    from.pop_front();
    constexpr size_t HEADER_BYTES = 4;
    auto effects =
        machine.take(static_cast<RecordType>(record[0]), record.slice(HEADER_BYTES, record.size()));
    if (!effects) {
      refusal = effects.error();
      return;
    }
    for (auto& out: effects->send) to.push_back(kj::mv(out));
    use(*effects);
  }

  void run() {
    while (refusal == nullptr && (!toHost.empty() || !toCaller.empty())) {
      if (!toHost.empty()) {
        deliver(toHost, toCaller, host, [this](RecoveryHost::Effects& effects) {
          proved = proved || effects.proved;
          if (effects.ops != nullptr) ops = kj::mv(effects.ops);
        });
      } else {
        deliver(toCaller, toHost, caller, [this](RecoveryCaller::Effects& effects) {
          taken = taken || effects.taken;
          if (effects.log != nullptr) log = kj::mv(effects.log);
        });
      }
    }
  }
};

RecoveryKeys keysOf(uint8_t seed) {
  CountingEntropy entropy(seed);
  return RecoveryKeys::fromSeed(RecoverySeed::draw(entropy));
}

TEST_CASE("whoever holds the recovery key is given the log, and its ops are taken") {
  auto keys = keysOf(5);
  Recovering now(keys, keys);
  REQUIRE(now.proved);
  auto whole = encodeLog(*now.circle.phone.log);
  for (auto& out: now.host.give(whole)) now.toCaller.push_back(kj::mv(out));
  now.run();
  REQUIRE(KJ_ASSERT_NONNULL(now.log) == whole);
  for (auto& out: now.caller.push("ops"_kj.asBytes())) now.toHost.push_back(kj::mv(out));
  now.run();
  REQUIRE(KJ_ASSERT_NONNULL(now.ops) == "ops"_kj.asBytes());
  for (auto& out: now.host.taken()) now.toCaller.push_back(kj::mv(out));
  now.run();
  REQUIRE(now.taken);
}

TEST_CASE("T28: whoever holds another recovery key is told nothing, not even who answers") {
  Recovering now(keysOf(6), keysOf(5));
  REQUIRE_FALSE(now.proved);
  REQUIRE(KJ_ASSERT_NONNULL(now.refusal).code == Errc::DECRYPT_FAILED);
  REQUIRE(now.toCaller.empty());
}

// A removed device has the log, and so knows the recovery key by name.
TEST_CASE("T28: whoever knows the recovery key by name alone proves nothing") {
  auto real = keysOf(5), other = keysOf(6);
  RecoveryKeys thief{kj::mv(other.ed), kj::mv(other.xw), real.edPk, real.xwPk, real.id};
  Recovering now(thief, real);
  REQUIRE_FALSE(now.proved);
  REQUIRE(KJ_ASSERT_NONNULL(now.refusal).code == Errc::NOT_AUTHORISED);
}

TEST_CASE("a record out of turn ends a recovery") {
  auto keys = keysOf(5);
  Circle circle;
  EphemeralGuard guard{[]() {}};
  RecoveryKey known{keys.id, keys.edPk, keys.xwPk};
  RecoveryHost host({known, circle.phone.keys, circle.phone.bundle}, circle.phone.entropy, guard);
  REQUIRE(host.take(RecordType::HS_INIT, nullptr).error().code == Errc::BAD_FORMAT);
  PairHello hello{PairMethod::RECOVERY, {}};
  REQUIRE(host.take(RecordType::PAIR_HELLO, hello.body()).error().code == Errc::BAD_FORMAT);
  RecoveryHost another(
      {known, circle.phone.keys, circle.phone.bundle}, circle.phone.entropy, guard);
  PairHello pairing{PairMethod::CODE, {}};
  REQUIRE(
      another.take(RecordType::PAIR_HELLO, pairing.body()).error().code == Errc::PAIRING_CLOSED);
}

}  // namespace
}  // namespace hearth::crypto

#pragma once
// An admin and a new device that pair in memory, record by record.

#include "crypto/pairing/admin.h"
#include "crypto/pairing/joiner.h"
#include "crypto/primitives/envelope.h"
#include "crypto/primitives/hash.h"
#include "tests/crypto/seeded-entropy.h"

#include <kj/debug.h>

#include <deque>

namespace hearth::crypto {

constexpr kj::StringPtr CODE = "pond dirt hold sea crumble ivory"_kj;

inline PairingCode codeOf(kj::StringPtr words) {
  return PairingCode::parse(words.asBytes()).value();
}

// An admin and a new device, and the carrier between them. The members are declared in the order
// in which they depend.
struct Pairing {
  SeededEntropy entropy{1};
  EphemeralGuard guard{[] {}};
  DeviceKeys adminKeys = DeviceKeys::fromRootSeed(RootSeed::draw(entropy));
  DeviceKeys joinerKeys = DeviceKeys::fromRootSeed(RootSeed::draw(entropy));
  Bundle adminBundle{Platform::LINUX, 0, 1, adminKeys.publics};
  Bundle joinerBundle{Platform::WATCHOS, Bundle::BATTERY, 1, joinerKeys.publics};
  Buffer genesis;
  CircleId circle;
  PairingMeans joinerMeans;
  kj::Maybe<PairingAdmin> admin;
  kj::Maybe<PairingJoiner> joiner;

  kj::Maybe<Sas> adminSas, joinerSas;
  kj::Maybe<PairingAdmin::Candidate> candidate;
  kj::Maybe<PairingJoiner::Joined> joined;
  kj::Maybe<Error> adminError, joinerError;

  // The admin's user types a code.
  explicit Pairing(kj::StringPtr typed = CODE): Pairing(codeOf(CODE), codeOf(typed)) {}
  Pairing(PairingMeans joinerMeansIn, PairingMeans adminMeans): joinerMeans(kj::mv(joinerMeansIn)) {
    begin(kj::mv(adminMeans));
  }

  void begin(PairingMeans adminMeans) {
    auto body = "genesis"_kj.asBytes();
    genesis = sealEnvelope(SigType::OP, body, adminKeys.id, adminKeys.ed);
    circle = hashAs<CircleId>("hearth/circle/v1", {body});
    admin.emplace(PairingAdmin::Setup{adminKeys, adminBundle, circle,
                      kj::heapArray<kj::byte>(genesis.asPtr()), Role::MEMBER, kj::mv(adminMeans)},
        entropy, guard);
    joiner.emplace(PairingJoiner::Setup{joinerKeys, joinerBundle, joinerMeans}, entropy, guard);
  }

  PairingAdmin& a() { return KJ_ASSERT_NONNULL(admin); }
  PairingJoiner& b() { return KJ_ASSERT_NONNULL(joiner); }

  struct InFlight {
    bool toJoiner;
    Buffer record;
  };
  std::deque<InFlight> wire;
  size_t delivered = 0;
  kj::Maybe<size_t> damage;  // the number of the record to damage

  void put(bool toJoiner, kj::Vector<Buffer> records) {
    for (auto& record: records) wire.push_back({toJoiner, kj::mv(record)});
  }

  template <typename Machine>
  auto deliver(Machine& machine, Buffer record) {
    auto header = readRecordHeader(record.slice(0, RECORD_HEADER_BYTES)).value();
    KJ_ASSERT(header.bodyBytes == record.size() - RECORD_HEADER_BYTES);
    KJ_IF_MAYBE(number, damage) {
      if (*number == delivered) record[record.size() - 1] ^= 1;
    }
    ++delivered;
    return machine.take(header.type, record.slice(RECORD_HEADER_BYTES, record.size()));
  }

  // Carries records until nothing is in flight or one side has ended.
  void carry() {
    while (!wire.empty() && adminError == nullptr && joinerError == nullptr) {
      auto next = kj::mv(wire.front());
      wire.pop_front();
      if (next.toJoiner) {
        auto effects = deliver(b(), kj::mv(next.record));
        if (!effects) {
          joinerError = effects.error();
          return;
        }
        put(false, kj::mv(effects->send));
        KJ_IF_MAYBE(shown, effects->sas) joinerSas = *shown;
        KJ_IF_MAYBE(done, effects->joined) joined = kj::mv(*done);
      } else {
        auto effects = deliver(a(), kj::mv(next.record));
        if (!effects) {
          adminError = effects.error();
          return;
        }
        put(true, kj::mv(effects->send));
        KJ_IF_MAYBE(shown, effects->sas) adminSas = *shown;
        KJ_IF_MAYBE(found, effects->candidate) candidate = kj::mv(*found);
      }
    }
  }

  void start() {
    wire.push_back({true, a().hello()});
    carry();
  }

  void welcome(Bytes log) {
    PairHint hints[] = {{adminKeys.id, kj::str("10.0.0.1:7000")}};
    put(true, a().welcome(log, hints));
    carry();
  }

  Errc joinerCodeOf() { return KJ_ASSERT_NONNULL(joinerError).code; }
  Errc adminCodeOf() { return KJ_ASSERT_NONNULL(adminError).code; }
};

}  // namespace hearth::crypto

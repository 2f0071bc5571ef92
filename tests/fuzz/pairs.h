#pragma once
// An admin and a new device, as the targets on pairing play them. All that is random is drawn from
// fixed seeds.

#include "crypto/handshake/cookies.h"
#include "crypto/identity/display.h"
#include "crypto/identity/shares.h"
#include "crypto/pairing/admin.h"
#include "crypto/pairing/joiner.h"
#include "crypto/primitives/envelope.h"
#include "tests/crypto/seeded-entropy.h"
#include "tests/fuzz/target.h"

#include <deque>

namespace hearth::fuzz {

using namespace crypto;

inline Bytes bodyOf(const Buffer& record) {
  return record.slice(RECORD_HEADER_BYTES, record.size());
}

struct Drawn {
  SeededEntropy entropy{52};
  EphemeralGuard guard{[] {}};
};

struct Pairs {
  static constexpr uint32_t ADMIN_INDEX = 7, JOINER_INDEX = 9;

  SeededEntropy entropy{53};
  DeviceKeys admin = DeviceKeys::fromRootSeed(RootSeed::draw(entropy));
  DeviceKeys joiner = DeviceKeys::fromRootSeed(RootSeed::draw(entropy));
  Bundle adminBundle{Platform::LINUX, 0, 1, admin.publics};
  Bundle joinerBundle{Platform::WATCHOS, Bundle::BATTERY, 1, joiner.publics};
  Buffer genesis = sealEnvelope(SigType::OP, "genesis"_kj.asBytes(), admin.id, admin.ed);
  CircleId circle = hashAs<CircleId>("hearth/circle/v1", {"genesis"_kj.asBytes()});

  static QrProof qrProof() {
    SeededEntropy entropy(54);
    return QrProof::draw(get().joinerBundle, entropy);
  }
  static PairingMeans means(uint8_t method) {
    if (method % 3 == 0) return qrProof();
    if (method % 3 == 1) return SasComparison();
    return PairingCode::parse("pond dirt hold sea crumble ivory"_kj.asBytes()).value();
  }
  PairingAdmin::Setup adminSetup(PairingMeans means) const {
    return {admin, adminBundle, circle, kj::heapArray<kj::byte>(genesis.asPtr()), Role::MEMBER,
        kj::mv(means)};
  }
  Buffer offer() const { return writeOffer({circle, Role::MEMBER, admin.id, genesis}); }
  Buffer consent() const {
    return Join{circle, joinerBundle.hash(), admin.id, Role::MEMBER}.seal(joiner);
  }

  // The handshake of a device that holds the QR code's secret.
  Noise noise(bool asAdmin, const Digest& helloHashed, Entropy& entropy) const {
    auto proof = qrProof();
    return pairingNoise(asAdmin, asAdmin ? admin.x : joiner.x, DhSecret::draw(entropy),
        qrPsk(proof.secret, proof.commitment, helloHashed),
        pairPrologue(PairMethod::QR, helloHashed), entropy);
  }

  static const Pairs& get() {
    static const Pairs pairs;
    return pairs;
  }
};

// Two honest machines and the records between them.
struct Honest {
  struct InFlight {
    bool toJoiner;
    Buffer record;
  };

  Drawn drawn;
  PairingMeans means;
  PairingAdmin admin;
  PairingJoiner joiner;
  std::deque<InFlight> wire;

  explicit Honest(uint8_t method)
      : means(Pairs::means(method)),
        admin(Pairs::get().adminSetup(Pairs::means(method)), drawn.entropy, drawn.guard),
        joiner(
            {Pairs::get().joiner, Pairs::get().joinerBundle, means}, drawn.entropy, drawn.guard) {
    wire.push_back({true, admin.hello()});
  }

  // False when the pairing has ended with an error. Both users say that the pictures are the same.
  bool deliver(bool toJoiner, RecordType type, Bytes body) {
    return toJoiner ? settle(joiner, joiner.take(type, body), false)
                    : settle(admin, admin.take(type, body), true);
  }

 private:
  template <typename Machine, typename Effects>
  bool settle(Machine& machine, Result<Effects> effects, bool toJoiner) {
    if (!effects) return false;
    put(effects->send, toJoiner);
    if constexpr (requires { effects->candidate; }) {
      if (effects->candidate != nullptr) {
        PairHint hints[] = {{Pairs::get().admin.id, kj::str("10.0.0.1:7000")}};
        auto records = machine.welcome("a log"_kj.asBytes(), hints);
        put(records, true);
      }
    }
    if (effects->sas == nullptr) return true;
    return settle(machine, machine.compare(true), toJoiner);
  }
  void put(kj::Vector<Buffer>& records, bool toJoiner) {
    for (auto& record: records) wire.push_back({toJoiner, kj::mv(record)});
  }
};

}  // namespace hearth::fuzz

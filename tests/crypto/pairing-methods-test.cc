#include "crypto/pairing/lock.h"
#include "tests/crypto/pairing-on-wire.h"
#include "tests/crypto/seeds.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::crypto {
namespace {

// B shows a QR code, and A has scanned what `text` says.
struct QrPairing: Pairing {
  QrPairing(): Pairing(SasComparison(), SasComparison()) {
    auto proof = QrProof::draw(joinerBundle, entropy);
    shown = qrText(qrPayload(proof.commitment, proof.secret, nullptr));
    joinerMeans = kj::mv(proof);
  }
  kj::String shown;

  void scan(kj::StringPtr text) {
    auto offer = readQr(text).value();
    begin(QrProof{offer.commitment, kj::mv(offer.secret)});
  }
};

TEST_CASE("a device whose QR code was scanned is brought in") {
  QrPairing pairing;
  pairing.scan(pairing.shown);
  pairing.start();
  REQUIRE(KJ_ASSERT_NONNULL(pairing.candidate).bundle == pairing.joinerBundle);
  pairing.welcome("log"_kj.asBytes());
  REQUIRE(KJ_ASSERT_NONNULL(pairing.joined).circle == pairing.circle);
}

TEST_CASE("T7: the secret of an earlier QR code proves nothing, and counts as a try") {
  QrPairing pairing;
  auto earlier = kj::str(pairing.shown);
  pairing.joinerMeans = QrProof::draw(pairing.joinerBundle, pairing.entropy);
  pairing.scan(earlier);
  pairing.start();
  REQUIRE(pairing.joinerCodeOf() == Errc::DECRYPT_FAILED);
  REQUIRE(pairing.b().countsAsTry());
  REQUIRE(pairing.candidate == nullptr);
}

TEST_CASE("a device that knows the secret of a QR code and did not show it is refused") {
  QrPairing pairing;
  auto other = pairing.joinerBundle;
  other.version = 2;
  auto& proof = std::get<QrProof>(pairing.joinerMeans);
  auto offer = readQr(pairing.shown).value();
  proof.commitment = qrCommitment(other, offer.secret);
  pairing.begin(QrProof{proof.commitment, kj::mv(offer.secret)});
  pairing.start();
  REQUIRE(pairing.adminCodeOf() == Errc::COMMIT_MISMATCH);
  REQUIRE(pairing.candidate == nullptr);
}

TEST_CASE("a QR code reads back with its places, and is refused when it is another thing") {
  SeededEntropy entropy(5);
  auto secret = QrSecret::draw(entropy);
  auto commitment = entropy.draw<Digest>();
  kj::Vector<QrHint> hints;
  hints.add(QrHint{.port = 7427});
  hints[0].address.addAll("\x0a\x00\x00\x07"_kj.asBytes());
  auto payload = qrPayload(commitment, secret, hints);
  auto text = qrText(payload);
  auto offer = readQr(text).value();
  REQUIRE(offer.commitment == commitment);
  REQUIRE(offer.secret.reveal() == secret.reveal());
  REQUIRE(offer.hints[0].port == 7427);
  REQUIRE(offer.hints[0].address.asPtr() == hints[0].address.asPtr());

  REQUIRE(readQr("WIFI:S:home;;").error().code == Errc::BAD_FORMAT);
  REQUIRE(readQr(text.slice(1)).error().code == Errc::BAD_FORMAT);
  payload[0] = 2;
  REQUIRE(readQr(qrText(payload)).error().code == Errc::BAD_VERSION);
  payload[0] = 1;
  payload[2 + Digest::SIZE + QrSecret::SIZE] = QR_HINTS_MAX + 1;
  REQUIRE(readQr(qrText(payload)).error().code == Errc::BAD_FORMAT);
}

struct SasPairing: Pairing {
  SasPairing(): Pairing(SasComparison(), SasComparison()) { start(); }

  Result<void> adminSays(bool same) {
    auto effects = a().compare(same);
    if (!effects) return no(effects.error());
    put(true, kj::mv(effects->send));
    carry();
    return {};
  }
  Result<void> joinerSays(bool same) {
    auto effects = b().compare(same);
    if (!effects) return no(effects.error());
    put(false, kj::mv(effects->send));
    carry();
    return {};
  }
};

TEST_CASE("both screens show the same, and the device comes in when both users say so") {
  SasPairing pairing;
  auto& admin = KJ_ASSERT_NONNULL(pairing.adminSas);
  REQUIRE(admin.value == KJ_ASSERT_NONNULL(pairing.joinerSas).value);
  REQUIRE(admin.pictures().size() == SAS_PICTURES);
  REQUIRE(pairing.adminSays(true));
  REQUIRE(pairing.candidate == nullptr);  // the new device's user still looks
  REQUIRE(pairing.joinerSays(true));
  REQUIRE(KJ_ASSERT_NONNULL(pairing.candidate).bundle == pairing.joinerBundle);
  pairing.welcome("log"_kj.asBytes());
  REQUIRE(pairing.joined != nullptr);
}

TEST_CASE("nothing about the circle is sent before the admin's user has compared") {
  SasPairing pairing;
  auto before = pairing.delivered;
  REQUIRE(pairing.joinerSays(true));
  REQUIRE(pairing.delivered == before);
}

TEST_CASE("T6: a user who sees other pictures ends the pairing, and it counts as a try") {
  SasPairing pairing;
  REQUIRE(pairing.adminSays(false).error().code == Errc::SAS_MISMATCH);
  REQUIRE(pairing.a().countsAsTry());
  REQUIRE(pairing.joinerSays(false).error().code == Errc::SAS_MISMATCH);
  REQUIRE(pairing.b().countsAsTry());
  REQUIRE(pairing.candidate == nullptr);
}

Bytes bodyOf(const Buffer& record) { return record.slice(RECORD_HEADER_BYTES, record.size()); }

// A new device, or somebody who plays one, that answers record by record.
struct LateChooser {
  Pairing pairing{SasComparison(), SasComparison()};
  PairContribution committed = pairing.entropy.draw<PairContribution>();
  Buffer init;
  Noise noise;

  LateChooser(): noise(begin()) {}

  Noise begin() {
    auto hello = pairing.a().hello();
    auto reply = PairHello{PairMethod::SAS, pairing.entropy.draw<PairNonce>()}.body();
    auto effects = pairing.a().take(RecordType::PAIR_REPLY, reply).value();
    init = kj::mv(effects.send[0]);
    return pairingNoise(false, pairing.joinerKeys.x, DhSecret::draw(pairing.entropy), nullptr,
        pairPrologue(PairMethod::SAS, helloHash(bodyOf(hello), reply)), pairing.entropy);
  }

  // What A says to a contribution that is told after A's own is known.
  Result<PairingAdmin::Effects> tell(const PairContribution& contribution) {
    constexpr uint32_t INDEX = 7;
    auto opening = readHsInit(bodyOf(init)).value();
    noise.read(opening.noise).value();
    auto commit = PairContribution::from(sasCommit(committed).asBytes()).value();
    auto message =
        noise.write(writeIntroduction(pairing.joinerBundle.seal(pairing.joinerKeys), commit))
            .value();
    auto response = writeHsResp(INDEX, opening.senderIndex, message);
    auto final = pairing.a().take(RecordType::HS_RESP, bodyOf(response)).value();
    noise.read(readHsFinal(bodyOf(final.send[0])).value().noise).value();
    PairChannel channel(SessionKeys::from(noise), false, INDEX, opening.senderIndex);
    auto t1 = channel.send(PAIRING_T1, contribution.asBytes());
    return pairing.a().take(RecordType::DATA, bodyOf(t1[0]));
  }
};

TEST_CASE("T6: a contribution that was committed to is taken") {
  LateChooser device;
  REQUIRE(device.tell(device.committed).value().sas != nullptr);
}

TEST_CASE("T6: one that was chosen late, to make pictures match, is refused and counts as a try") {
  LateChooser device;
  auto late = device.pairing.entropy.draw<PairContribution>();
  REQUIRE(device.tell(late).error().code == Errc::COMMIT_MISMATCH);
  REQUIRE(device.pairing.a().countsAsTry());
}

// Somebody who tries again as soon as the lock lets them.
struct Persistent {
  kj::TimePoint now = kj::origin<kj::TimePoint>();
  PairingLock lock;
  size_t lockedOut = 0;

  void awaitAdmission() {
    if (lock.admit(now)) return;
    ++lockedOut;
    REQUIRE(lock.admit(now + PairingLock::LOCKED_FOR - 1 * kj::SECONDS).error().code ==
        Errc::PAIRING_LOCKED);
    now += PairingLock::LOCKED_FOR;
    REQUIRE(lock.admit(now));
  }
  void fail() { lock.fail(now); }
};

// G22. Between A and B stands somebody who pairs with each of them as if it were the other. It shows each
// its own keys, so that the strings on the two screens come from two handshakes.
TEST_CASE(
    "T6: an attacker in the middle who guesses makes no two screens alike, and the fourth try is locked out") {
  Seeds seeds(60);
  Persistent attacker;
  size_t alike = 0;
  for (auto seed = seeds.first; seed <= seeds.last; ++seed) {
    attacker.awaitAdmission();
    Pairing towardsA{SasComparison(), SasComparison()}, towardsB{SasComparison(), SasComparison()};
    towardsA.entropy = SeededEntropy(2 * seed);
    towardsB.entropy = SeededEntropy(2 * seed + 1);
    towardsA.start();
    towardsB.start();
    auto& onA = KJ_ASSERT_NONNULL(towardsA.adminSas);
    auto& onB = KJ_ASSERT_NONNULL(towardsB.joinerSas);
    bool same = onA.digits() == onB.digits() || onA.value == onB.value;
    if (same) ++alike;
    REQUIRE(towardsA.a().compare(same).error().code == Errc::SAS_MISMATCH);
    REQUIRE(towardsA.a().countsAsTry());
    REQUIRE(towardsA.candidate == nullptr);
    REQUIRE(towardsB.joined == nullptr);
    attacker.fail();
  }
  REQUIRE(alike == 0);
  REQUIRE(attacker.lockedOut == (seeds.count() - 1) / PairingLock::FAILURES_MAX);
}

TEST_CASE("T6: who guesses codes is heard three times in ten minutes, and guesses none") {
  Seeds seeds(30);
  Persistent attacker;
  size_t heard = 0;
  for (auto seed = seeds.first; seed <= seeds.last; ++seed) {
    attacker.awaitAdmission();
    SeededEntropy entropy(seed);
    Pairing pairing(PairingCode::draw(entropy), PairingCode::draw(entropy));
    pairing.start();
    REQUIRE(pairing.joinerCodeOf() == Errc::DECRYPT_FAILED);
    REQUIRE(pairing.b().countsAsTry());
    REQUIRE(pairing.candidate == nullptr);
    ++heard;
    attacker.fail();
  }
  REQUIRE(heard == seeds.count());
  REQUIRE(attacker.lockedOut == (seeds.count() - 1) / PairingLock::FAILURES_MAX);
}

}  // namespace
}  // namespace hearth::crypto

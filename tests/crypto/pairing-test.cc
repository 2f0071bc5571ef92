#include "crypto/pairing/lock.h"
#include "tests/crypto/pairing-on-wire.h"

#include <kj/debug.h>
#include <kj/encoding.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>

namespace hearth::crypto {
namespace {

TEST_CASE("two devices that share a code pair, and the new one receives log and hints") {
  Pairing pairing;
  pairing.start();
  auto& candidate = KJ_ASSERT_NONNULL(pairing.candidate);
  REQUIRE(candidate.bundle == pairing.joinerBundle);
  REQUIRE(Join::open(candidate.joinEnvelope, candidate.bundle).value().role == Role::MEMBER);

  auto log = kj::heapArray<kj::byte>(3 * MESSAGE_BODY_BYTES_MAX + 5);
  memset(log.begin(), 7, log.size());
  pairing.welcome(log);
  auto& joined = KJ_ASSERT_NONNULL(pairing.joined);
  REQUIRE(joined.circle == pairing.circle);
  REQUIRE(joined.role == Role::MEMBER);
  REQUIRE(joined.admin == pairing.adminBundle);
  REQUIRE(joined.genesis.asPtr() == pairing.genesis.asPtr());
  REQUIRE(joined.log.asPtr() == log.asPtr());
  REQUIRE(joined.hints[0].device == pairing.adminKeys.id);
  REQUIRE(joined.hints[0].address == "10.0.0.1:7000");
  REQUIRE_FALSE(pairing.a().countsAsTry());
  REQUIRE_FALSE(pairing.b().countsAsTry());
}

TEST_CASE("a wrong code is refused at message 1 and counts as a try on both sides") {
  Pairing pairing("pond dirt hold sea crumble zoo");
  pairing.start();
  REQUIRE(pairing.joinerCodeOf() == Errc::DECRYPT_FAILED);
  REQUIRE(pairing.b().countsAsTry());
  REQUIRE(pairing.a().countsAsTry());
  REQUIRE(pairing.candidate == nullptr);
}

TEST_CASE("nothing about the circle is sent before the code is proved") {
  Pairing pairing("pond dirt hold sea crumble zoo");
  pairing.start();
  REQUIRE(pairing.delivered == 5);  // hello, reply, two shares, message 1
}

TEST_CASE("one damaged bit in any record ends the pairing") {
  for (size_t number = 0; number < 10; ++number) {
    Pairing pairing;
    pairing.damage = number;
    pairing.start();
    if (pairing.candidate != nullptr) pairing.welcome("log"_kj.asBytes());
    REQUIRE(pairing.delivered > number);  // the fault did come
    REQUIRE((pairing.adminError != nullptr || pairing.joinerError != nullptr));
    REQUIRE(pairing.joined == nullptr);
  }
}

TEST_CASE("a machine that has ended takes no more records") {
  Pairing pairing;
  REQUIRE_FALSE(pairing.b().take(RecordType::DATA, nullptr).has_value());
  auto hello = pairing.a().hello();
  auto again =
      pairing.b().take(RecordType::PAIR_HELLO, hello.slice(RECORD_HEADER_BYTES, hello.size()));
  REQUIRE(again.error().code == Errc::BAD_FORMAT);
}

TEST_CASE("a record out of turn ends the pairing") {
  for (auto type: {RecordType::PAKE_A, RecordType::HS_INIT, RecordType::HS_FINAL, RecordType::DATA,
           RecordType::COOKIE, RecordType::ALERT}) {
    Pairing pairing;
    REQUIRE(pairing.b().take(type, nullptr).error().code == Errc::BAD_FORMAT);
  }
}

TEST_CASE("what the new device answers as an alert reaches the admin's user by name") {
  auto told = [](Alert alert) {
    Pairing pairing;
    pairing.a().hello();
    auto code = static_cast<kj::byte>(alert);
    return pairing.a().take(RecordType::ALERT, kj::arrayPtr(&code, 1)).error().code;
  };
  REQUIRE(told(Alert::PAIRING_LOCKED) == Errc::PAIRING_LOCKED);
  REQUIRE(told(Alert::PAIRING_CLOSED) == Errc::PAIRING_CLOSED);
  REQUIRE(told(Alert::BUSY) == Errc::BUSY);
  REQUIRE(told(Alert::VERSION) == Errc::BAD_VERSION);
  REQUIRE(told(Alert::EPOCH_UNKNOWN) == Errc::BAD_FORMAT);
}

TEST_CASE("a peer that pairs by another method is refused on both sides") {
  auto other = PairHello{PairMethod::QR, PairNonce()}.body();
  Pairing pairing;
  pairing.a().hello();
  REQUIRE(pairing.a().take(RecordType::PAIR_REPLY, other).error().code == Errc::PAIRING_CLOSED);
  REQUIRE(pairing.b().take(RecordType::PAIR_HELLO, other).error().code == Errc::PAIRING_CLOSED);
}

TEST_CASE("an all-zero CPace share is refused and counts as a try") {
  Pairing pairing;
  auto hello = PairHello{PairMethod::CODE, PairNonce()}.body();
  REQUIRE(pairing.b().take(RecordType::PAIR_HELLO, hello).has_value());
  kj::byte zero[32] = {};
  REQUIRE(pairing.b().take(RecordType::PAKE_A, zero).error().code == Errc::SMALL_ORDER);
  REQUIRE(pairing.b().countsAsTry());
}

TEST_CASE("a device cannot pair with itself") {
  Pairing pairing;
  pairing.joiner.emplace(
      PairingJoiner::Setup{pairing.adminKeys, pairing.adminBundle, pairing.joinerMeans},
      pairing.entropy, pairing.guard);
  pairing.start();
  REQUIRE(pairing.adminCodeOf() == Errc::REPLAY);
}

TEST_CASE("a bundle that is not of the static key in use is refused") {
  Pairing pairing;
  auto stranger = DeviceKeys::fromRootSeed(RootSeed::draw(pairing.entropy));
  auto mixed = DeviceKeys{kj::mv(stranger.ed), DhSecret::draw(pairing.entropy), kj::mv(stranger.xw),
      stranger.publics, stranger.id};
  Bundle bundle{Platform::LINUX, 0, 1, stranger.publics};
  pairing.joiner.emplace(
      PairingJoiner::Setup{mixed, bundle, pairing.joinerMeans}, pairing.entropy, pairing.guard);
  pairing.start();
  REQUIRE(pairing.adminCodeOf() == Errc::UNKNOWN_PEER);
}

TEST_CASE("a circle that is not that of its Genesis is refused") {
  Pairing pairing;
  auto wrong = pairing.circle;
  wrong.bytes[0] ^= 1;
  pairing.admin.emplace(PairingAdmin::Setup{pairing.adminKeys, pairing.adminBundle, wrong,
                            kj::mv(pairing.genesis), Role::MEMBER, codeOf(CODE)},
      pairing.entropy, pairing.guard);
  pairing.start();
  REQUIRE(pairing.joinerCodeOf() == Errc::COMMIT_MISMATCH);
}

TEST_CASE("a log over the limit is refused") {
  Pairing pairing;
  pairing.start();
  auto log = kj::heapArray<kj::byte>(PAIRING_LOG_BYTES_MAX);
  memset(log.begin(), 0, log.size());
  pairing.welcome(log);
  REQUIRE(KJ_ASSERT_NONNULL(pairing.joined).log.size() == PAIRING_LOG_BYTES_MAX);
  Pairing another;
  another.start();
  auto more = kj::heapArray<kj::byte>(PAIRING_LOG_BYTES_MAX + 1);
  REQUIRE_THROWS_AS(another.a().welcome(more, nullptr), kj::Exception);
}

TEST_CASE("a consent to join is refused for another bundle, signer or form") {
  Pairing pairing;
  Join join{pairing.circle, pairing.joinerBundle.hash(), pairing.adminKeys.id, Role::VAULT};
  auto envelope = join.seal(pairing.joinerKeys);
  REQUIRE(envelope.size() == Join::ENVELOPE_BYTES);
  REQUIRE(Join::open(envelope, pairing.joinerBundle).value() == join);
  REQUIRE(Join::open(envelope, pairing.adminBundle).error().code == Errc::BAD_SIGNATURE);
  auto newer = pairing.joinerBundle;
  newer.version = 2;
  REQUIRE(Join::open(envelope, newer).error().code == Errc::COMMIT_MISMATCH);
  join.role = static_cast<Role>(4);
  REQUIRE(Join::open(join.seal(pairing.joinerKeys), pairing.joinerBundle).error().code ==
      Errc::BAD_FORMAT);
}

TEST_CASE("hints read back, and more than the limit or unprintable addresses are refused") {
  kj::Vector<PairHint> hints;
  for (size_t i = 0; i < PAIRING_HINTS_MAX; ++i) hints.add(PairHint{DeviceId(), kj::str("a:1")});
  auto body = writeHints(hints);
  REQUIRE(readHints(body).value().size() == PAIRING_HINTS_MAX);
  body[0] = PAIRING_HINTS_MAX + 1;
  REQUIRE_FALSE(readHints(body).has_value());
  PairHint bad[] = {{DeviceId(), kj::str("a\n:1")}};
  REQUIRE_FALSE(readHints(writeHints(bad)).has_value());
  PairHint empty[] = {{DeviceId(), kj::str("")}};
  REQUIRE_FALSE(readHints(writeHints(empty)).has_value());
}

TEST_CASE("a code is read in any case and spacing, and refused with a wrong word or number") {
  auto code = PairingCode::parse("  Pond-DIRT hold\tsea\ncrumble ivory "_kj.asBytes()).value();
  REQUIRE(code.reveal() == CODE.asBytes());
  auto refused = [](kj::StringPtr typed) {
    return PairingCode::parse(typed.asBytes()).error().code;
  };
  REQUIRE(refused("pond dirt hold sea crumble") == Errc::BAD_LENGTH);
  REQUIRE(refused("pond dirt hold sea crumble ivory ivory") == Errc::BAD_LENGTH);
  REQUIRE(refused("pond dirt hold sea crumble ivori") == Errc::BAD_FORMAT);
  REQUIRE(refused("pond dirt hold sea crumble ivoryivory") == Errc::BAD_FORMAT);
}

TEST_CASE("a drawn code reads back") {
  SeededEntropy entropy(3);
  auto code = PairingCode::draw(entropy);
  REQUIRE(PairingCode::parse(code.reveal()).value().reveal() == code.reveal());
}

TEST_CASE("three failed attempts lock pairing for ten minutes, also across a restart") {
  auto t0 = kj::origin<kj::TimePoint>();
  PairingLock lock;
  REQUIRE_FALSE(lock.fail(t0));
  REQUIRE_FALSE(lock.fail(t0));
  REQUIRE(lock.fail(t0));
  REQUIRE(lock.admit(t0 + 599 * kj::SECONDS).error().code == Errc::PAIRING_LOCKED);
  auto restored = PairingLock::restored(lock.failures, true, t0);
  REQUIRE(restored.isLocked(t0 + 599 * kj::SECONDS));
  REQUIRE(lock.admit(t0 + PairingLock::LOCKED_FOR).has_value());
  REQUIRE(lock.failures == 0);
}

TEST_CASE("a success forgets earlier failures") {
  auto t0 = kj::origin<kj::TimePoint>();
  PairingLock lock;
  lock.fail(t0);
  lock.fail(t0);
  lock.succeed();
  REQUIRE_FALSE(lock.fail(t0));
}

TEST_CASE("CPace gives the published values") {
  // draft-irtf-cfrg-cpace, ristretto255 with SHA-512, initiator/responder.
  auto bytes = [](kj::StringPtr hex) { return kj::decodeHex(hex); };
  auto ci = bytes("0b415f696e69746961746f720b425f726573706f6e646572");
  auto sid = bytes("7e4b4791d6a8ef019b936c79fb7f2c57");
  Cpace::Setting setting{"Password"_kj.asBytes(), ci, sid, "ADa"_kj.asBytes(), "ADb"_kj.asBytes()};
  auto ya =
      Cpace::Scalar::from(bytes("da3d23700a9e5699258aef94dc060dfda5ebb61f02a5ea77fad53f4ff0976d08"))
          .value();
  auto yb =
      Cpace::Scalar::from(bytes("d2316b454718c35362d83d69df6320f38578ed5984651435e2949762d900b80d"))
          .value();
  auto g = Cpace::generator(Cpace::generatorString(setting).reveal());
  REQUIRE(g.asBytes() ==
      bytes("222b6b195fe84b1652badb6f6a3ae3d24341e7306967f0b8115b40d5698c7e56").asPtr());
  auto a = Cpace::multiply(ya, g), b = Cpace::multiply(yb, g);
  auto shared = Cpace::agree(ya, b).value();
  REQUIRE(shared.equals(Cpace::agree(yb, a).value()));
  REQUIRE(Cpace::isk(setting, shared, a, b).reveal() ==
      bytes("b69effbf61b51d56401c0f65601abe428de8206feaaf0e32198896dcae7b35cd"
            "2b38950a39dfd5d4a79164614c2984f7daa460b588c1e80c3fa2068af7900447")
          .asPtr());
}

TEST_CASE("the short authentication string shows as seven pictures or seven digits") {
  Sas sas{Digest::from(
      kj::decodeHex("c5dc44c1b3f4955c12dc52ae77bf37809a33e1b74dc111c7721f81fbfc16a928"_kj))
          .value()};
  auto pictures = sas.pictures();
  auto names = KJ_MAP(p, pictures) { return p.name; };
  REQUIRE(kj::strArray(names, " ") == "pencil eye pencil bell owl duck castle");
  REQUIRE(pictures[0].codePoint == 0x270F);
  REQUIRE(sas.digits() == "054 1202");
}

TEST_CASE("a QR payload holds at most four hints, and its text is of the QR alphabet") {
  auto secret = QrSecret::make([](kj::ArrayPtr<kj::byte>) {});
  kj::Vector<QrHint> hints;
  for (size_t i = 0; i < QR_HINTS_MAX; ++i) {
    hints.add();
    hints.back().address.addAll(kj::heapArray<kj::byte>({10, 0, 0, 1}));
    hints.back().port = 7000;
  }
  auto text = qrText(qrPayload(Digest(), secret, hints));
  REQUIRE(text.startsWith("HEARTH1:AEAA"));
  hints.add(QrHint{.port = 1});
  REQUIRE_THROWS_AS(qrPayload(Digest(), secret, hints), kj::Exception);
}

}  // namespace
}  // namespace hearth::crypto

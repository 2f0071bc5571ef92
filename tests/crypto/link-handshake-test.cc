#include "core/base/flat.h"
#include "crypto/handshake/bulk.h"
#include "crypto/handshake/data.h"
#include "crypto/handshake/link-handshake.h"
#include "tests/crypto/alice-and-bob.h"

#include <kj/exception.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstring>

namespace hearth::crypto {
namespace {

TEST_CASE("two devices of an epoch agree on keys in two messages of the specified sizes") {
  auto withPsk = GENERATE(true, false);
  AliceAndBob pair;
  auto alice = pair.initiator(withPsk);
  auto init = alice.initRecord();
  REQUIRE(readHsInit(bodyOf(init)).value().noise.size() == 1456);

  auto bob = pair.responder(init).value();
  REQUIRE(bob.opening().device == pair.alice.id);
  REQUIRE(judge(bob.opening(), pair.bob, {pair.aliceKeys.publics.x, 4}).has_value());
  auto answer = pair.answer(bob);
  REQUIRE(readHsResp(bodyOf(answer.record)).value().noise.size() == 1280);

  auto session = alice.finish(bodyOf(answer.record)).value();
  REQUIRE(session.keys.noiseH == answer.session.keys.noiseH);
  REQUIRE(session.keys.exporter.equals(answer.session.keys.exporter));
  REQUIRE(session.status == LinkStatus::OK);
  REQUIRE(session.peerIndex == BOB_INDEX);
  REQUIRE(answer.session.peerIndex == ALICE_INDEX);
  REQUIRE(session.rehandshakeAfter == REHANDSHAKE_BATTERY_S * kj::SECONDS);
  REQUIRE(answer.session.expiresAfter() == 5400 * kj::SECONDS);

  SendingKey sending(kj::mv(session.keys.i2r));
  ReceivingKey receiving(kj::mv(answer.session.keys.i2r));
  auto record = sealData(sending, session.peerIndex, 1, "hello"_kj.asBytes(), Padding::INTERACTIVE);
  REQUIRE(openData(receiving, bodyOf(*record)).value().body == "hello"_kj.asBytes());
}

TEST_CASE("T12: without the epoch's PSK, or with that of an older one, no keys are agreed on") {
  AliceAndBob pair;
  auto alice = pair.initiator();
  auto bob = pair.responder(alice.initRecord()).value();
  auto other = linkPsk(
      EpochSecret::draw(pair.entropy), {pair.circle, pair.epoch}, pair.alice.id, pair.bob.id);
  auto answer = bob.answer(BOB_INDEX, kj::mv(other), pair.aliceBundle, LinkStatus::OK).value();
  REQUIRE(alice.finish(bodyOf(answer.record)).error().code == Errc::DECRYPT_FAILED);
}

TEST_CASE("a device of another circle cannot open message 1") {
  AliceAndBob pair;
  auto init = pair.initiator().initRecord();
  pair.bob.circle.bytes[0] ^= 1;
  REQUIRE(pair.responder(init).error().code == Errc::DECRYPT_FAILED);
}

TEST_CASE("one flipped bit in the noise of either message is refused") {
  AliceAndBob pair;
  auto init = pair.initiator().initRecord();
  for (size_t at = RECORD_HEADER_BYTES + 10; at < init.size() - 32; at += 97) {
    auto flipped = kj::heapArray<kj::byte>(init.asPtr());
    flipped[at] ^= 4;
    REQUIRE_FALSE(pair.responder(flipped).has_value());
  }
  for (size_t at = RECORD_HEADER_BYTES + 10; at < 1280; at += 97) {
    auto alice = pair.initiator();
    auto bob = pair.responder(alice.initRecord()).value();
    auto answer = pair.answer(bob);
    answer.record[at] ^= 4;
    REQUIRE_FALSE(alice.finish(bodyOf(answer.record)).has_value());
  }
}

TEST_CASE("T12: an initiation of another suite or of a pairing protocol is refused") {
  for (size_t field: {0, 1}) {
    AliceAndBob pair;
    auto init = pair.initiator().initRecord();
    init[RECORD_HEADER_BYTES + field] = 2;
    REQUIRE(pair.responder(init).error().code == Errc::BAD_VERSION);
  }
}

TEST_CASE("T12: an initiation that says IKhfs but was made for IKhfspsk2 is refused") {
  AliceAndBob pair;
  auto init = pair.initiator().initRecord();
  init[RECORD_HEADER_BYTES] = static_cast<uint8_t>(Protocol::IKHFS);
  REQUIRE(pair.responder(init).error().code == Errc::DECRYPT_FAILED);
}

TEST_CASE(
    "T1, T10, T11: a caller with another static key, a used counter or our own name is refused") {
  AliceAndBob pair;
  auto bob = pair.responder(pair.initiator().initRecord()).value();
  auto code = [&](const LinkSelf& self, DhPublic x, uint64_t last) {
    return judge(bob.opening(), self, {x, last}).error().code;
  };
  REQUIRE(code(pair.bob, pair.bobKeys.publics.x, 0) == Errc::UNKNOWN_PEER);
  REQUIRE(code(pair.bob, pair.aliceKeys.publics.x, 5) == Errc::REPLAY);
  REQUIRE(code(pair.alice, pair.aliceKeys.publics.x, 0) == Errc::REPLAY);
}

TEST_CASE("T9: a responder that answers under another name is refused") {
  AliceAndBob pair;
  auto alice = pair.initiator();
  auto self = pair.bob;
  LinkSelf liar{DeviceId(), self.x, self.bundle, self.circle, self.rehandshakeS};
  auto init = alice.initRecord();
  auto bob =
      LinkResponder::open(liar, readHsInit(bodyOf(init)).value(), pair.entropy, pair.guard).value();
  auto answer = pair.answer(bob);
  REQUIRE(alice.finish(bodyOf(answer.record)).error().code == Errc::UNKNOWN_PEER);
}

TEST_CASE("T9: an initiator that states another device than its static key's is refused") {
  AliceAndBob pair;
  pair.alice.id = pair.entropy.draw<DeviceId>();  // somebody else's
  auto bob = pair.responder(pair.initiator().initRecord()).value();
  auto mallory = DeviceKeys::fromRootSeed(RootSeed::draw(pair.entropy));
  auto judged = judge(bob.opening(), pair.bob, {mallory.publics.x, 0});
  REQUIRE(judged.error().code == Errc::UNKNOWN_PEER);
}

TEST_CASE("T8: whoever has Alice's static key, but not Bob's, cannot answer her call in his name") {
  AliceAndBob pair;
  auto init = pair.initiator().initRecord();
  LinkSelf thief{pair.bob.id, pair.aliceKeys.x, pair.bobBundle, pair.circle, REHANDSHAKE_MAINS_S};
  auto opened =
      LinkResponder::open(thief, readHsInit(bodyOf(init)).value(), pair.entropy, pair.guard);
  REQUIRE(opened.error().code == Errc::DECRYPT_FAILED);
}

TEST_CASE(
    "T8: whoever has Alice's static key, but not Bob's, cannot finish a call to her in his name") {
  // With her key a message 1 can be forged that opens as Bob's (Noise §7.7). What follows it needs
  // Bob's own: here the bytes are Bob's, and the thief has everything but his key and the epoch's.
  AliceAndBob pair;
  LinkPeer alicesCard{pair.alice.id, pair.aliceKeys.publics.x, pair.aliceBundle};
  auto bobs = LinkInitiator::begin({pair.bob, alicesCard, BOB_INDEX, 5},
      LinkInitiator::EpochPsk{pair.epoch, pair.psk()}, pair.entropy, pair.guard);
  auto record = bobs->initRecord();
  auto opened =
      LinkResponder::open(pair.alice, readHsInit(bodyOf(record)).value(), pair.entropy, pair.guard);
  auto answer = opened->answer(ALICE_INDEX, pair.psk(), pair.bobBundle, LinkStatus::OK).value();

  LinkSelf thief{pair.bob.id, pair.aliceKeys.x, pair.bobBundle, pair.circle, REHANDSHAKE_MAINS_S};
  auto guess = linkPsk(
      EpochSecret::draw(pair.entropy), {pair.circle, pair.epoch}, pair.alice.id, pair.bob.id);
  auto thiefs = LinkInitiator::begin({thief, alicesCard, BOB_INDEX, 5},
      LinkInitiator::EpochPsk{pair.epoch, kj::mv(guess)}, pair.entropy, pair.guard);
  REQUIRE(thiefs->finish(bodyOf(answer.record)).error().code == Errc::DECRYPT_FAILED);
  REQUIRE(bobs->finish(bodyOf(answer.record)).has_value());  // the answer was good
}

TEST_CASE("T11: a device's own message 1, sent back to it, does not even pass mac1") {
  AliceAndBob pair;
  auto record = pair.initiator().initRecord();
  auto init = readHsInit(bodyOf(record)).value();
  REQUIRE(mac1Holds(GateKeys::forLink(pair.bobKeys.publics.x), init));
  REQUIRE_FALSE(mac1Holds(GateKeys::forLink(pair.aliceKeys.publics.x), init));
  auto opened = LinkResponder::open(pair.alice, init, pair.entropy, pair.guard);
  REQUIRE(opened.error().code == Errc::DECRYPT_FAILED);
}

TEST_CASE("a link carries bulk records if both signed bundles say AES, and their hashes agree") {
  AliceAndBob pair;
  auto peer = pair.bobAsPeer();
  bool callerHas = GENERATE(false, true), calledHas = GENERATE(false, true);
  bool seesPeer = GENERATE(false, true), hasEpoch = GENERATE(false, true);
  pair.alice.hasAes = callerHas;
  pair.bob.hasAes = peer.hasAes = calledHas;
  if (!seesPeer) peer.bundle = pair.entropy.draw<BundleHash>();
  auto calling = pair.initiator(hasEpoch, peer);
  auto called = pair.responder(calling.initRecord()).value();
  auto status = bundleStatus(called.opening(), pair.bobBundle, pair.aliceBundle);
  kj::Maybe<LinkPsk> psk;
  if (hasEpoch) psk = pair.psk();
  auto answer = called.answer(BOB_INDEX, kj::mv(psk), pair.aliceBundle, status, callerHas).value();
  bool bulk = callerHas && calledHas && seesPeer && hasEpoch;
  REQUIRE(answer.session.bulk == bulk);
  REQUIRE(calling.finish(bodyOf(answer.record)).value().bulk == bulk);
}

TEST_CASE("T11: a device's own records, sent back to it, do not open") {
  AliceAndBob pair;
  auto sessions = pair.handshake();
  SendingKey sending(kj::mv(sessions.alices.keys.i2r));
  ReceivingKey receiving(kj::mv(sessions.alices.keys.r2i));
  auto record = sealData(sending, ALICE_INDEX, 1, "hello"_kj.asBytes(), Padding::INTERACTIVE);
  REQUIRE(openData(receiving, bodyOf(*record)).error().code == Errc::DECRYPT_FAILED);
}

// Message 1 of a pattern without the KEM, else as a device of the circle would make it.
Buffer classicalInit(AliceAndBob& pair, kj::StringPtr name, kj::StringPtr notation) {
  FlatWriter prologue;
  prologue.bytes("hearth/link/1"_kj.asBytes());
  prologue.u8(1).u8(static_cast<uint8_t>(Protocol::IKHFSPSK2)).bytes(pair.circle.asBytes());
  Noise noise({name, Pattern::parse(notation), chaChaPoly(), blake2b(), true},
      {.own = pair.aliceKeys.x,
          .remote = pair.bobKeys.publics.x,
          .ephemeral = DhSecret::draw(pair.entropy)},
      prologue.asBytes());
  kj::byte payload[160] = {};
  auto message = noise.write(payload).value();
  return writeHsInit(GateKeys::forLink(pair.bobKeys.publics.x),
      static_cast<uint8_t>(Protocol::IKHFSPSK2), ALICE_INDEX, message, nullptr);
}

TEST_CASE("T12: classical IK and XX, and IKhfs with e1 stripped, get no session") {
  AliceAndBob pair;
  auto ik = classicalInit(
      pair, "Noise_IK_25519_ChaChaPoly_BLAKE2b", "<- s ... -> e, es, s, ss <- e, ee, se");
  auto xx =
      classicalInit(pair, "Noise_XX_25519_ChaChaPoly_BLAKE2b", "-> e <- e, ee, s, es -> s, se");
  // The name and the rest of the pattern are right, only e1 is not there.
  auto stripped =
      classicalInit(pair, nameOf(Protocol::IKHFSPSK2), "<- s ... -> e, es, s, ss <- e, ee, se");
  for (auto record: {&ik, &xx, &stripped}) REQUIRE_FALSE(pair.responder(*record).has_value());
}

TEST_CASE("T13: an initiation whose ephemeral is a point of small order is refused as such") {
  AliceAndBob pair;
  auto honest = pair.initiator().initRecord();
  constexpr size_t NOISE_AT = RECORD_HEADER_BYTES + 10;
  for (kj::byte first: {0, 1}) {  // both of order 1 or 2
    auto record = kj::heapArray<kj::byte>(honest.asPtr());
    memset(record.begin() + NOISE_AT, 0, DhPublic::SIZE);
    record[NOISE_AT] = first;
    REQUIRE(pair.responder(record).error().code == Errc::SMALL_ORDER);
  }
}

TEST_CASE("different views of a bundle show on both sides") {
  AliceAndBob pair;
  auto peer = pair.bobAsPeer();
  peer.bundle.bytes[0] ^= 1;
  auto alice = pair.initiator(true, peer);
  auto bob = pair.responder(alice.initRecord()).value();
  REQUIRE(
      bundleStatus(bob.opening(), pair.bobBundle, pair.aliceBundle) == LinkStatus::VIEW_DIFFERS);
  auto answer = pair.answer(bob, LinkStatus::OK);  // a responder that did not look
  REQUIRE(alice.finish(bodyOf(answer.record)).value().status == LinkStatus::VIEW_DIFFERS);
}

TEST_CASE("an answer to another handshake is refused") {
  AliceAndBob pair;
  auto alice = pair.initiator();
  auto bob = pair.responder(alice.initRecord()).value();
  auto answer = pair.answer(bob);
  answer.record[RECORD_HEADER_BYTES + 4] ^= 1;
  REQUIRE(alice.finish(bodyOf(answer.record)).error().code == Errc::UNKNOWN_PEER);
}

TEST_CASE("under load an initiator is let in with the cookie it was sent, and not without") {
  AliceAndBob pair;
  auto alice = pair.initiator();
  auto gate = GateKeys::forLink(pair.bobKeys.publics.x);
  auto t0 = kj::origin<kj::TimePoint>();
  CookieJar jar(pair.entropy, t0);
  SourceAddress source{.port = 4000}, elsewhere{.port = 4001};

  auto first = alice.initRecord();
  auto init = readHsInit(bodyOf(first)).value();
  REQUIRE(mac1Holds(gate, init));
  REQUIRE_FALSE(mac2Holds(jar.cookie(source, t0), init));
  auto reply = writeCookie(gate, init, jar.cookie(source, t0), pair.entropy.draw<CookieNonce>());
  REQUIRE(alice.takeCookie(bodyOf(reply)).has_value());

  auto second = alice.initRecord();
  auto again = readHsInit(bodyOf(second)).value();
  REQUIRE(mac1Holds(gate, again));
  REQUIRE(mac2Holds(jar.cookie(source, t0), again));
  REQUIRE_FALSE(mac2Holds(jar.cookie(elsewhere, t0), again));
  REQUIRE_FALSE(mac2Holds(jar.cookie(source, t0 + CookieJar::SECRET_LIFETIME), again));
  REQUIRE(pair.responder(second).has_value());
}

TEST_CASE("a cookie for another handshake or with a flipped bit is refused") {
  AliceAndBob pair;
  auto alice = pair.initiator();
  auto gate = GateKeys::forLink(pair.bobKeys.publics.x);
  auto record = alice.initRecord();
  auto init = readHsInit(bodyOf(record)).value();
  auto reply = writeCookie(gate, init, Cookie(), CookieNonce());
  reply[reply.size() - 1] ^= 1;
  REQUIRE(alice.takeCookie(bodyOf(reply)).error().code == Errc::DECRYPT_FAILED);
  reply[RECORD_HEADER_BYTES] ^= 1;
  REQUIRE(alice.takeCookie(bodyOf(reply)).error().code == Errc::UNKNOWN_PEER);
}

TEST_CASE("a wrong mac1 is noticed before any Diffie-Hellman") {
  AliceAndBob pair;
  auto record = pair.initiator().initRecord();
  auto init = readHsInit(bodyOf(record)).value();
  REQUIRE_FALSE(mac1Holds(GateKeys::forLink(pair.aliceKeys.publics.x), init));
}

TEST_CASE("T14: an ephemeral that comes a second time stops the daemon") {
  bool stopped = false;
  EphemeralGuard guard([&] { stopped = true; });
  DhPublic key;
  guard.admit(key);
  REQUIRE_THROWS_AS(guard.admit(key), kj::Exception);
  REQUIRE(stopped);
}

// Forgets how far it has come, like a machine that was cloned or a source that is broken.
class RepeatingEntropy final: public Entropy {
 public:
  void fill(kj::ArrayPtr<kj::byte> out) override { memset(out.begin(), 7, out.size()); }
};

TEST_CASE(
    "T32: with a random source that repeats ephemerals the second handshake stops the daemon") {
  AliceAndBob pair;
  RepeatingEntropy broken;
  bool stopped = false;
  EphemeralGuard guard([&] { stopped = true; });
  auto call = [&]() {
    LinkInitiator::EpochPsk psk{pair.epoch, pair.psk()};
    return LinkInitiator::begin(
        {pair.alice, pair.bobAsPeer(), ALICE_INDEX, 5}, kj::mv(psk), broken, guard);
  };
  REQUIRE(call().has_value());
  REQUIRE_FALSE(stopped);
  REQUIRE_THROWS_AS(call(), kj::Exception);
  REQUIRE(stopped);
}

TEST_CASE("the guard forgets the oldest ephemeral after its limit") {
  EphemeralGuard guard([] {});
  auto key = [](uint32_t i) {
    DhPublic pk;
    memcpy(pk.bytes, &i, sizeof(i));
    return pk;
  };
  for (uint32_t i = 0; i <= EphemeralGuard::REMEMBERED; ++i) guard.admit(key(i));
  guard.admit(key(0));
  REQUIRE_THROWS_AS(guard.admit(key(EphemeralGuard::REMEMBERED)), kj::Exception);
}

}  // namespace
}  // namespace hearth::crypto

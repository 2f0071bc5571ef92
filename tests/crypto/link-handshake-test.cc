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

TEST_CASE("without the epoch's PSK no keys are agreed on") {
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

TEST_CASE("an initiation of another suite or of a pairing protocol is refused") {
  for (size_t field: {0, 1}) {
    AliceAndBob pair;
    auto init = pair.initiator().initRecord();
    init[RECORD_HEADER_BYTES + field] = 2;
    REQUIRE(pair.responder(init).error().code == Errc::BAD_VERSION);
  }
}

TEST_CASE("an initiation that says IKhfs but was made for IKhfspsk2 is refused") {
  AliceAndBob pair;
  auto init = pair.initiator().initRecord();
  init[RECORD_HEADER_BYTES] = static_cast<uint8_t>(Protocol::IKHFS);
  REQUIRE(pair.responder(init).error().code == Errc::DECRYPT_FAILED);
}

TEST_CASE("a caller with another static key, a used counter or our own name is refused") {
  AliceAndBob pair;
  auto bob = pair.responder(pair.initiator().initRecord()).value();
  auto code = [&](const LinkSelf& self, DhPublic x, uint64_t last) {
    return judge(bob.opening(), self, {x, last}).error().code;
  };
  REQUIRE(code(pair.bob, pair.bobKeys.publics.x, 0) == Errc::UNKNOWN_PEER);
  REQUIRE(code(pair.bob, pair.aliceKeys.publics.x, 5) == Errc::REPLAY);
  REQUIRE(code(pair.alice, pair.aliceKeys.publics.x, 0) == Errc::REPLAY);
}

TEST_CASE("a responder that answers under another name is refused") {
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

TEST_CASE("a random source that repeats itself stops the daemon") {
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

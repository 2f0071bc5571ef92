// The keys of a link through its handshakes, with real sessions and real records.
#include "crypto/handshake/data.h"
#include "crypto/handshake/key-ring.h"
#include "tests/crypto/alice-and-bob.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <string>
#include <vector>

namespace hearth::crypto {
namespace {

constexpr auto T0 = kj::origin<kj::TimePoint>() + 1 * kj::HOURS;
constexpr auto DUE = REHANDSHAKE_BATTERY_S * kj::SECONDS;  // the larger value of the two

// One end of a link.
struct End {
  KeyRing ring;
  explicit End(LinkSession session): ring(session, T0) {}

  bool canSeal(kj::TimePoint now) { return ring.sealing(now) != nullptr; }
  Buffer seal(kj::StringPtr text, kj::TimePoint now) {
    auto sealing = KJ_REQUIRE_NONNULL(ring.sealing(now));
    return sealData(sealing.key, sealing.receiverIndex, 0, text.asBytes(), Padding::INTERACTIVE)
        .value();
  }
  // What a record says; empty: it is refused.
  std::string open(const Buffer& record, kj::TimePoint now) {
    auto index = receiverIndexOf(bodyOf(record)).value();
    KJ_IF_MAYBE(opening, ring.opening(index, now)) {
      auto frame = openData(opening->key, bodyOf(record));
      if (!frame) return "";
      switched = ring.opened(index, now);
      return std::string(frame->body.asChars().begin(), frame->body.size());
    }
    return "";
  }
  bool switched = false;
};

KeyRing bulkRing(LinkSession session) {
  session.bulk = true;
  return KeyRing(session, T0);
}

TEST_CASE(
    "the keys of a link with AES on both sides open each other's bulk records, and no others") {
  auto sessions = AliceAndBob().handshake();
  auto alice = bulkRing(kj::mv(sessions.alices)), bob = bulkRing(kj::mv(sessions.bobs));
  auto& sending = KJ_REQUIRE_NONNULL(KJ_REQUIRE_NONNULL(alice.sealing(T0)).bulk);
  auto record = sending.seal(BOB_INDEX, 0, 1, 0, "bulk"_kj.asBytes()).value();
  auto openedBy = [&](KeyRing& ring, uint32_t index) {
    auto& receiver = KJ_REQUIRE_NONNULL(KJ_REQUIRE_NONNULL(ring.opening(index, T0)).bulk);
    return receiver.open(bodyOf(record), 0).has_value();
  };
  REQUIRE_FALSE(openedBy(alice, ALICE_INDEX));  // T11: not what she has sent herself
  REQUIRE(openedBy(bob, BOB_INDEX));
  REQUIRE_FALSE(openedBy(bob, BOB_INDEX));
}

TEST_CASE("a link without AES on both sides has no keys for bulk records") {
  auto sessions = AliceAndBob().handshake();
  KeyRing alice(sessions.alices, T0);
  REQUIRE(KJ_REQUIRE_NONNULL(alice.sealing(T0)).bulk == nullptr);
  REQUIRE(KJ_REQUIRE_NONNULL(alice.opening(ALICE_INDEX, T0)).bulk == nullptr);
}

struct Ends {
  AliceAndBob pair;
  End alice, bob;

  Ends(): Ends(AliceAndBob()) {}

  // Another handshake, as Alice sees it and as Bob does.
  AliceAndBob::Sessions again(uint32_t aliceIndex, uint32_t bobIndex) {
    auto sessions = pair.handshake();
    sessions.alices.ownIndex = sessions.bobs.peerIndex = aliceIndex;
    sessions.bobs.ownIndex = sessions.alices.peerIndex = bobIndex;
    return sessions;
  }

 private:
  explicit Ends(AliceAndBob made): Ends(made.handshake()) {}
  explicit Ends(AliceAndBob::Sessions sessions)
      : alice(kj::mv(sessions.alices)),
        bob(kj::mv(sessions.bobs)) {}
};

TEST_CASE(
    "the initiator seals under new keys at once, the responder after the first record under them") {
  Ends ends;
  auto now = T0 + DUE;
  REQUIRE(ends.alice.ring.isDue(now));
  auto sessions = ends.again(11, 12);
  ends.bob.ring.add(sessions.bobs, now);  // HS_RESP is on its way
  auto underOld = ends.bob.seal("old", now);
  ends.alice.ring.add(sessions.alices, now);
  REQUIRE(ends.alice.open(underOld, now) == "old");
  REQUIRE(ends.bob.open(ends.alice.seal("new", now), now) == "new");
  REQUIRE(ends.bob.switched);
  REQUIRE(ends.alice.open(ends.bob.seal("also new", now), now) == "also new");
  REQUIRE(ends.alice.ring.handshakes() == 2);
  REQUIRE_FALSE(ends.alice.ring.isDue(now + DUE - 1 * kj::SECONDS));
}

TEST_CASE(
    "old keys are wiped on the first record under the new ones, and what comes under them is refused") {
  Ends ends;
  auto atAlice = ends.bob.seal("late", T0), atBob = ends.alice.seal("late", T0);
  auto sessions = ends.again(11, 12);
  ends.bob.ring.add(sessions.bobs, T0);
  ends.alice.ring.add(sessions.alices, T0);
  REQUIRE(ends.bob.open(ends.alice.seal("new", T0), T0) == "new");
  REQUIRE(ends.bob.open(atBob, T0) == "");
  REQUIRE(ends.alice.open(ends.bob.seal("new", T0), T0) == "new");
  REQUIRE(ends.alice.open(atAlice, T0) == "");
}

TEST_CASE("old keys open what was on its way for ten seconds and no longer") {
  for (bool late: {false, true}) {
    Ends ends;
    auto record = ends.bob.seal("on its way", T0);
    auto sessions = ends.again(11, 12);
    ends.alice.ring.add(sessions.alices, T0);
    auto wiped = T0 + KeyRing::FORMER_FOR;
    REQUIRE(ends.alice.ring.wakeAt() == wiped);
    auto read = ends.alice.open(record, late ? wiped : wiped - 1 * kj::MILLISECONDS);
    REQUIRE(read == (late ? "" : "on its way"));
  }
}

TEST_CASE("an answer that the initiator never uses is forgotten after ten seconds") {
  Ends ends;
  auto sessions = ends.again(11, 12);
  ends.bob.ring.add(sessions.bobs, T0);
  ends.alice.ring.add(sessions.alices, T0);
  auto record = ends.alice.seal("late", T0);
  REQUIRE(ends.bob.open(record, T0 + KeyRing::NEXT_FOR) == "");
  REQUIRE(ends.bob.canSeal(T0 + KeyRing::NEXT_FOR));  // under the keys that both have
}

TEST_CASE(
    "hard reject: at one and a half times their age keys open nothing, and seal nothing shortly before") {
  Ends ends;
  auto expiry = T0 + DUE * 3 / 2;
  auto last = expiry - KeyRing::ON_THE_WAY_MAX - 1 * kj::MILLISECONDS;
  auto record = ends.bob.seal("x", last), second = ends.bob.seal("y", last);
  REQUIRE_FALSE(ends.bob.canSeal(expiry - KeyRing::ON_THE_WAY_MAX));
  REQUIRE(ends.alice.open(record, expiry - 1 * kj::MILLISECONDS) == "x");
  REQUIRE(ends.alice.open(second, expiry) == "");
  REQUIRE(ends.alice.ring.wakeAt() == nullptr);  // nothing is held any more
}

TEST_CASE("a link whose keys have expired goes on under new ones") {
  Ends ends;
  auto now = T0 + 2 * DUE;
  REQUIRE_FALSE(ends.alice.canSeal(now));
  auto sessions = ends.again(11, 12);
  ends.bob.ring.add(sessions.bobs, now);
  ends.alice.ring.add(sessions.alices, now);
  REQUIRE_FALSE(ends.bob.canSeal(now));  // before Alice has shown that she has them
  REQUIRE(ends.bob.open(ends.alice.seal("here", now), now) == "here");
  REQUIRE(ends.alice.open(ends.bob.seal("there", now), now) == "there");
}

// Everything that an attacker has who looked into one side's memory once: keys, with every Rekey() that
// may follow, and every counter.
class Attacker {
 public:
  void steal(const LinkSession& session) {
    for (auto state: {&session.keys.i2r, &session.keys.r2i})
      stolen.push_back(kj::heapArray(state->revealKey()));
  }
  std::string read(const Buffer& record) const {
    constexpr uint64_t COUNTERS = 64;
    constexpr int REKEYS = 3;
    auto sealed = record.slice(RECORD_HEADER_BYTES + 4, record.size());
    for (auto& key: stolen) {
      for (uint64_t n = 0; n < COUNTERS * (REKEYS + 1); ++n) {
        CipherState state(chaChaPoly(),
            CipherKey::make([&](auto out) { memcpy(out.begin(), key.begin(), key.size()); }),
            n % COUNTERS);
        for (uint64_t i = 0; i < n / COUNTERS; ++i) state.rekey();
        auto plain = state.open(nullptr, sealed);
        if (plain) return std::string(plain->asChars().begin() + 3, (*plain)[1]);
      }
    }
    return "";
  }

 private:
  std::vector<Buffer> stolen;
};

TEST_CASE("T33: whoever has all keys of a session reads nothing after one re-handshake") {
  AliceAndBob pair;
  auto first = pair.handshake();
  Attacker attacker;
  attacker.steal(first.alices);
  attacker.steal(first.bobs);
  End alice(kj::mv(first.alices)), bob(kj::mv(first.bobs));
  std::vector<Buffer> before, after;
  for (auto text: {"one"_kj, "two"_kj}) {
    before.push_back(alice.seal(text, T0));
    REQUIRE(bob.open(before.back(), T0) == text.cStr());
    before.push_back(bob.seal(text, T0));
    REQUIRE(alice.open(before.back(), T0) == text.cStr());
  }

  auto second = pair.handshake();
  second.alices.ownIndex = second.bobs.peerIndex = 11;
  second.bobs.ownIndex = second.alices.peerIndex = 12;
  bob.ring.add(second.bobs, T0);
  alice.ring.add(second.alices, T0);
  for (auto text: {"three"_kj, "four"_kj}) {
    after.push_back(alice.seal(text, T0));
    REQUIRE(bob.open(after.back(), T0) == text.cStr());
    after.push_back(bob.seal(text, T0));
    REQUIRE(alice.open(after.back(), T0) == text.cStr());
  }

  REQUIRE(attacker.read(before[0]) == "one");  // the theft was one
  REQUIRE(attacker.read(before[3]) == "two");
  for (auto& record: after) REQUIRE(attacker.read(record) == "");
}

}  // namespace
}  // namespace hearth::crypto

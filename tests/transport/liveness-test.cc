#include "transport/link/liveness.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::transport {
namespace {

constexpr kj::Duration MS = 1 * kj::MILLISECONDS;

// Runs the machine as its driver does until it says lost, answering pings for `alive`.
struct Watched {
  kj::TimePoint now = kj::origin<kj::TimePoint>();
  Liveness machine{now};
  uint32_t pings = 0;
  bool lost = false;

  void run(kj::Duration span, bool answering) {
    auto end = now + span;
    while (!lost) {
      auto next = machine.wakeAt().orDefault(end);
      if (next >= end) break;
      now = next;
      auto effects = machine.tick(now);
      lost = effects.lost;
      if (!effects.ping) continue;
      ++pings;
      if (answering) machine.heard(now);
    }
    if (!lost) now = end;
  }
};

TEST_CASE("an idle link asks nothing and is never lost") {
  Watched peer;
  peer.run(3600'000 * MS, false);
  REQUIRE(peer.pings == 0);
  REQUIRE_FALSE(peer.lost);
}

TEST_CASE("a silent peer that somebody waits for is lost within half a second") {
  Watched peer;
  peer.machine.attend(true, peer.now);
  peer.run(1000 * MS, true);
  auto before = peer.now;
  peer.run(10'000 * MS, false);
  REQUIRE(peer.lost);
  REQUIRE(peer.now - before <= 450 * MS);
}

TEST_CASE("a peer that answers is not lost for an hour") {
  Watched peer;
  peer.machine.attend(true, peer.now);
  peer.run(3600'000 * MS, true);
  REQUIRE_FALSE(peer.lost);
}

TEST_CASE("a peer that does not answer what was sent is lost within two seconds") {
  Watched peer;
  peer.machine.sent(peer.now);
  auto before = peer.now;
  peer.run(10'000 * MS, false);
  REQUIRE(peer.lost);
  REQUIRE(peer.now - before <= 2000 * MS);
}

TEST_CASE("a device that was busy itself gives its peer another chance") {
  Watched peer;
  peer.machine.attend(true, peer.now);
  peer.run(500 * MS, true);
  peer.now += 5000 * MS;  // our own loop did not turn
  auto effects = peer.machine.tick(peer.now);
  REQUIRE_FALSE(effects.lost);
  REQUIRE(effects.ping);
}

TEST_CASE(
    "whoever hears a peer's streams gives it a sign of life every 100 ms, and otherwise none") {
  Watched peer;
  auto& machine = peer.machine;
  machine.attend(true, peer.now);
  uint32_t signs = 0, heard = 0;
  for (int ms = 0; ms < 1000; ++ms, peer.now += MS) {
    if (ms < 500 && ms % 20 == 0) {
      machine.heard(peer.now);
      machine.owe(peer.now);
      ++heard;
    }
    signs += machine.tick(peer.now).sign;
  }
  REQUIRE(heard == 25);
  REQUIRE(signs == 5);
}

TEST_CASE("who has said something since owes no sign of life") {
  Watched peer;
  peer.machine.attend(true, peer.now);
  peer.machine.owe(peer.now);
  peer.machine.said();
  peer.now += Liveness::SIGN_AFTER;
  REQUIRE_FALSE(peer.machine.tick(peer.now).sign);
}

TEST_CASE("where nobody waits for the peer, no sign is owed and nothing is doubted") {
  Watched peer;
  peer.machine.owe(peer.now);
  REQUIRE(peer.machine.wakeAt() == nullptr);
  peer.machine.sent(peer.now);
  peer.now += Liveness::RELAXED.lostAfter / 2;
  auto effects = peer.machine.tick(peer.now);
  REQUIRE_FALSE(effects.sign);
  REQUIRE_FALSE(effects.doubt);
}

TEST_CASE("a silence is doubted once, and the next one anew") {
  Watched peer;
  peer.machine.attend(true, peer.now);
  for (int i = 0; i < 2; ++i) {
    uint32_t doubts = 0;
    peer.machine.heard(peer.now);
    REQUIRE_FALSE(peer.machine.isInDoubt());
    auto heardAt = peer.now;
    for (int ms = 0; ms < 390; ++ms, peer.now += MS) {
      if (!peer.machine.tick(peer.now).doubt) continue;
      ++doubts;
      REQUIRE(peer.now - heardAt == Liveness::DOUBT_AFTER);
    }
    REQUIRE(doubts == 1);
    REQUIRE(peer.machine.isInDoubt());
  }
}

TEST_CASE("attention begins with a fresh count of silence") {
  Watched peer;
  peer.run(60'000 * MS, false);
  peer.machine.attend(true, peer.now);
  REQUIRE_FALSE(peer.machine.tick(peer.now).lost);
}

}  // namespace
}  // namespace hearth::transport

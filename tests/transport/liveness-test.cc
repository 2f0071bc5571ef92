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

TEST_CASE("attention begins with a fresh count of silence") {
  Watched peer;
  peer.run(60'000 * MS, false);
  peer.machine.attend(true, peer.now);
  REQUIRE_FALSE(peer.machine.tick(peer.now).lost);
}

}  // namespace
}  // namespace hearth::transport

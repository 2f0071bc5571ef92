#include "simulator/wire/nat.h"
#include "tests/simulator/post.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

constexpr auto S = kj::SECONDS;

using Texts = std::vector<std::string>;

constexpr Endpoint INSIDE = {1, 100}, NEIGHBOUR = {2, 100}, FAR = {3, 7}, OTHER = {4, 7};
constexpr auto IDLE = 30 * S;

kj::TimePoint at(kj::Duration span) { return WorldTime::BEGINNING + span; }

TEST_CASE(
    "a NAT keeps one port for an inside, whomever it writes to, and another for its neighbour") {
  Nat nat(Chance(1), IDLE, false);
  auto port = nat.out(INSIDE, FAR, at(0 * S));
  REQUIRE(nat.out(INSIDE, OTHER, at(1 * S)) == port);
  REQUIRE(nat.out(NEIGHBOUR, FAR, at(1 * S)) != port);
}

TEST_CASE("a symmetric NAT takes another port for each destination, and keeps it") {
  Nat nat(Chance(1), IDLE, true);
  auto port = nat.out(INSIDE, FAR, at(0 * S));
  REQUIRE(nat.out(INSIDE, OTHER, at(1 * S)) != port);
  REQUIRE(nat.out(INSIDE, FAR, at(2 * S)) == port);
}

TEST_CASE("only who was written to may answer, address and port") {
  Nat nat(Chance(1), IDLE, false);
  auto port = nat.out(INSIDE, FAR, at(0 * S));
  REQUIRE(nat.in(port, FAR, at(1 * S)) == INSIDE);
  REQUIRE(nat.in(port, OTHER, at(1 * S)) == nullptr);
  REQUIRE(nat.in(port, {FAR.ip, 8}, at(1 * S)) == nullptr);
  REQUIRE(nat.in(static_cast<uint16_t>(port + 1), FAR, at(1 * S)) == nullptr);
}

TEST_CASE("a mapping lasts as long as something goes out, and answers do not keep it") {
  Nat nat(Chance(1), IDLE, false);
  auto port = nat.out(INSIDE, FAR, at(0 * S));
  REQUIRE(nat.out(INSIDE, FAR, at(29 * S)) == port);
  REQUIRE(nat.in(port, FAR, at(58 * S)) == INSIDE);
  REQUIRE(nat.in(port, FAR, at(59 * S)) == nullptr);
  REQUIRE(nat.out(INSIDE, FAR, at(60 * S)) != port);
}

TEST_CASE("a full NAT forgets the mapping that was idle the longest") {
  Nat nat(Chance(1), IDLE, false);
  auto first = nat.out(INSIDE, FAR, at(0 * S));
  auto second = nat.out(NEIGHBOUR, FAR, at(1 * S));
  for (size_t i = 2; i <= Nat::FLOWS_MAX; ++i)
    nat.out({static_cast<Ip>(10 + i), 1}, FAR, at(2 * S));
  REQUIRE(nat.in(first, FAR, at(3 * S)) == nullptr);
  REQUIRE(nat.in(second, FAR, at(3 * S)) == NEIGHBOUR);
}

// Two homes behind NATs, and a meeting point that everybody can write to.
struct Homes: Wires {
  NetworkIndex left, right, cloud;
  Post one, other, meeting;

  static NetworkKind home(bool symmetric) {
    auto kind = lan();
    kind.symmetric = symmetric;
    return kind;
  }
  static NetworkKind open() {
    auto kind = lan();
    kind.letsIn = true;
    return kind;
  }
  explicit Homes(bool symmetric = false)
      : left(join(home(symmetric), {0})),
        right(join(home(false), {1})),
        cloud(join(open(), {2})),
        one(*this, 0),
        other(*this, 1),
        meeting(*this, 2) {}

  // Both tell the meeting point; how it sees them, in the order of their names.
  Texts meet() {
    one.send("10.2.0.2", "one");
    run(1 * S);
    other.send("10.2.0.2", "other");
    run(1 * S);
    return {meeting.heard[0].from, meeting.heard[1].from};
  }
  // Each writes to where the meeting point has seen the other.
  void punch(const Texts& seen) {
    for (int tries = 0; tries < 3; ++tries) {
      one.send(seen[1].c_str(), "punch");
      other.send(seen[0].c_str(), "punch");
      run(1 * S);
    }
  }
};

TEST_CASE("outside, a device has its NAT's address, and answers find it there") {
  Homes homes;
  auto seen = homes.meet();
  REQUIRE(seen[0].starts_with("203.0.113.1:"));
  REQUIRE(seen[1].starts_with("203.0.113.2:"));
  homes.meeting.send(seen[0].c_str(), "answer");
  homes.run(1 * S);
  REQUIRE(homes.one.texts() == Texts{"answer"});
  REQUIRE(homes.one.heard[0].from == "10.2.0.2:7000");
}

TEST_CASE("nobody writes into a home unasked") {
  Homes homes;
  auto seen = homes.meet();
  homes.other.send(seen[0].c_str(), "unasked");
  homes.meeting.send("10.0.0.0", "to the inside");
  homes.meeting.send("203.0.113.1:2000", "guessed");
  homes.run(1 * S);
  REQUIRE(homes.one.heard.empty());
}

TEST_CASE("two devices behind ordinary NATs punch through to each other") {
  Homes homes;
  homes.punch(homes.meet());
  REQUIRE(homes.one.heard.size() >= 2);
  REQUIRE(homes.other.heard.size() >= 2);
}

TEST_CASE("behind a symmetric NAT on one side what a third party has seen is of no use") {
  Homes homes(true);
  homes.punch(homes.meet());
  REQUIRE(homes.one.heard.empty());
  REQUIRE(homes.other.heard.empty());
}

TEST_CASE("a punched hole stays open while both write, and closes when one falls silent") {
  Homes homes;
  auto seen = homes.meet();
  homes.punch(seen);
  for (int i = 0; i < 4; ++i) {
    homes.one.send(seen[1].c_str(), "still here");
    homes.other.send(seen[0].c_str(), "here, too");
    homes.run(20 * S);
  }
  REQUIRE(homes.other.heard.back().at > homes.time.elapsed() - 20 * S);
  homes.other.heard.clear();
  homes.run(10 * S);
  homes.one.send(seen[1].c_str(), "still there?");
  homes.run(1 * S);
  REQUIRE(homes.other.heard.empty());
}

TEST_CASE("a NAT that is rebound forgets: the same device is seen at another port") {
  Homes homes;
  auto seen = homes.meet();
  homes.terrain.rebind(homes.left);
  homes.meeting.send(seen[0].c_str(), "answer");
  homes.one.send("10.2.0.2", "again");
  homes.run(1 * S);
  REQUIRE(homes.one.heard.empty());
  REQUIRE(homes.meeting.heard.back().text == "again");
  REQUIRE(homes.meeting.heard.back().from != seen[0]);
}

TEST_CASE("a datagram over two networks takes the latency of both") {
  Homes homes;
  homes.one.send("10.2.0.2", "hello");
  homes.run(1 * S);
  REQUIRE(homes.meeting.heard[0].at == 20 * kj::MILLISECONDS);
}

}  // namespace
}  // namespace hearth::sim

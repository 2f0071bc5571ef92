#include "tests/simulator/post.h"

#include <catch2/catch_test_macros.hpp>
#include <netinet/in.h>

namespace hearth::sim {
namespace {

constexpr auto S = kj::SECONDS;
constexpr kj::StringPtr GROUP = "239.255.74.27"_kj;
constexpr Ip GROUP_IP = 239u << 24 | 255u << 16 | 74u << 8 | 27u;

using Texts = std::vector<std::string>;

void setMembership(Post& post, int option, Ip group = GROUP_IP, Ip at = 0) {
  struct ip_mreq request = {};
  request.imr_multiaddr.s_addr = htonl(group);
  request.imr_interface.s_addr = htonl(at);
  post.port->setsockopt(IPPROTO_IP, option, &request, sizeof(request));
}

void enter(Post& post, Ip at = 0) { setMembership(post, IP_ADD_MEMBERSHIP, GROUP_IP, at); }

void speakOn(Post& post, Ip at) {
  struct in_addr address = {.s_addr = htonl(at)};
  post.port->setsockopt(IPPROTO_IP, IP_MULTICAST_IF, &address, sizeof(address));
}

struct Three: Wires {
  NetworkIndex network;
  Post speaker, member, bystander;
  explicit Three(NetworkKind kind = lan())
      : network(join(kj::mv(kind), {0, 1, 2})),
        speaker(*this, 0),
        member(*this, 1),
        bystander(*this, 2) {
    enter(member);
  }
};

TEST_CASE("a datagram to a group reaches its members on the network, and nobody else") {
  Three three;
  three.speaker.send(GROUP, "who is there?");
  three.run(1 * S);
  REQUIRE(three.member.texts() == Texts{"who is there?"});
  REQUIRE(three.member.heard[0].from == "10.0.0.0:7000");
  REQUIRE(three.bystander.heard.empty());
  REQUIRE(three.speaker.heard.empty());
}

TEST_CASE("a member hears itself") {
  Three three;
  three.member.send(GROUP, "me");
  three.run(1 * S);
  REQUIRE(three.member.texts() == Texts{"me"});
}

TEST_CASE("who has left a group hears it no more") {
  Three three;
  setMembership(three.member, IP_DROP_MEMBERSHIP);
  three.speaker.send(GROUP, "who is there?");
  three.run(1 * S);
  REQUIRE(three.member.heard.empty());
  REQUIRE_THROWS(setMembership(three.member, IP_DROP_MEMBERSHIP));
}

TEST_CASE("a group ends where its network ends") {
  Three three;
  three.join(three.lan(), {3});
  Post outside(three, 3);
  enter(outside);
  three.speaker.send(GROUP, "who is there?");
  three.run(1 * S);
  REQUIRE(outside.heard.empty());
}

TEST_CASE("guests of a network that isolates them, or blocks multicast, hear nobody") {
  auto guests = Wires::lan(), blocked = Wires::lan();
  guests.isolates = true;
  blocked.multicast = false;
  for (auto& kind: {guests, blocked}) {
    Three three(kind);
    three.speaker.send(GROUP, "who is there?");
    three.run(1 * S);
    REQUIRE(three.member.heard.empty());
  }
}

TEST_CASE("each receiver loses for itself") {
  auto kind = Wires::lan();
  kind.multicastLossPermille = 300;
  Three three(kind);
  enter(three.bystander);
  for (int i = 0; i < 100; ++i) three.speaker.send(GROUP, kj::str(i));
  three.run(1 * S);
  REQUIRE((three.member.heard.size() > 50 && three.member.heard.size() < 90));
  REQUIRE((three.bystander.heard.size() > 50 && three.bystander.heard.size() < 90));
  REQUIRE(three.member.texts() != three.bystander.texts());
}

TEST_CASE("a cut hides the speaker from one member, not from the other") {
  Three three;
  enter(three.bystander);
  three.terrain.cut(0, 1);
  three.speaker.send(GROUP, "who is there?");
  three.run(1 * S);
  REQUIRE(three.member.heard.empty());
  REQUIRE(three.bystander.heard.size() == 1);
}

TEST_CASE("a device on two networks speaks on the best, or on the one that it chose") {
  Three three;
  auto second = three.join(three.lan(), {0, 3});
  Post far(three, 3);
  enter(far);
  three.speaker.send(GROUP, "to the first");
  three.run(1 * S);
  speakOn(three.speaker, Terrain::addressIn(second, 0));
  three.speaker.send(GROUP, "to the second");
  three.run(1 * S);
  REQUIRE(three.member.texts() == Texts{"to the first"});
  REQUIRE(far.texts() == Texts{"to the second"});
  REQUIRE(far.heard[0].from == "10.1.0.0:7000");
}

TEST_CASE("a group that was joined on one network is not heard on the other") {
  Three three;
  auto second = three.join(three.lan(), {1});
  Post chooser(three, 1, 7'001);
  enter(chooser, Terrain::addressIn(second, 1));
  three.speaker.send(kj::str(GROUP, ":7001"), "on the first");
  three.run(1 * S);
  REQUIRE(chooser.heard.empty());
}

TEST_CASE("a port joins groups alone, each once, and not without end") {
  Three three;
  REQUIRE_THROWS(setMembership(three.speaker, IP_ADD_MEMBERSHIP, 10u << 24));
  REQUIRE_THROWS(enter(three.member));
  for (Ip i = 1; i < 20; ++i) setMembership(three.member, IP_ADD_MEMBERSHIP, GROUP_IP + i);
  REQUIRE_THROWS(setMembership(three.member, IP_ADD_MEMBERSHIP, GROUP_IP + 20));
}

TEST_CASE("it goes on the air once, however many hear it") {
  Three three;
  enter(three.bystander);
  three.speaker.send(GROUP, "hello");
  three.run(1 * S);
  REQUIRE(three.boxes[0]->sent == 5);
  REQUIRE(three.boxes[1]->received == 5);
  REQUIRE(three.boxes[2]->received == 5);
}

}  // namespace
}  // namespace hearth::sim

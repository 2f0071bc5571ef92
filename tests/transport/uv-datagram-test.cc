#include "transport/wire/datagram-socket.h"
#include "transport/wire/uv-datagram-port.h"
#include "transport/wire/uv-network.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

namespace hearth::transport {
namespace {

// Two ports of one machine.
struct Posts {
  UvLoop uv;
  UvNetwork network{uv.port};
  kj::Own<kj::DatagramPort> here, there;

  explicit Posts(kj::StringPtr host): here(bind(host)), there(bind(host)) {}

  kj::Own<kj::NetworkAddress> parse(kj::StringPtr text) {
    return network.parseAddress(text).wait(uv.waitScope);
  }
  kj::Own<kj::DatagramPort> bind(kj::StringPtr host) {
    return parse(kj::str(host, ":0"))->bindDatagramPort();
  }
  kj::Own<kj::NetworkAddress> addressOf(kj::DatagramPort& port, kj::StringPtr host) {
    return parse(kj::str(host, ':', port.getPort()));
  }
};

UdpAddress place(kj::StringPtr text) { return KJ_ASSERT_NONNULL(UdpAddress::parse(text)); }

TEST_CASE("a datagram crosses and names its sender, over IPv4 and IPv6") {
  kj::StringPtr host = GENERATE("127.0.0.1", "[::1]");
  Posts posts(host);
  auto receiver = posts.there->makeReceiver({});
  posts.here->send("hello", 5, *posts.addressOf(*posts.there, host)).wait(posts.uv.waitScope);
  receiver->receive().wait(posts.uv.waitScope);
  REQUIRE(receiver->getContent().value == "hello"_kj.asBytes());
  REQUIRE(!receiver->getContent().isTruncated);
  REQUIRE(receiver->getSource().toString() == posts.addressOf(*posts.here, host)->toString());
}

TEST_CASE("pieces leave as one datagram, and what is longer than the room is cut and says so") {
  Posts posts("127.0.0.1");
  auto receiver = posts.there->makeReceiver({.content = 3});
  kj::ArrayPtr<const kj::byte> pieces[] = {"he"_kj.asBytes(), "llo"_kj.asBytes()};
  auto to = posts.addressOf(*posts.there, "127.0.0.1");
  REQUIRE(posts.here->send(pieces, *to).wait(posts.uv.waitScope) == 5);
  receiver->receive().wait(posts.uv.waitScope);
  REQUIRE(receiver->getContent().value == "hel"_kj.asBytes());
  REQUIRE(receiver->getContent().isTruncated);
}

TEST_CASE("a port on all interfaces hears IPv4 and IPv6") {
  kj::StringPtr host = GENERATE("127.0.0.1", "[::1]");
  Posts posts(host);
  auto all = posts.bind("*");
  auto receiver = all->makeReceiver({});
  posts.here->send("hello", 5, *posts.addressOf(*all, host)).wait(posts.uv.waitScope);
  receiver->receive().wait(posts.uv.waitScope);
  REQUIRE(UdpAddress::parse(receiver->getSource().toString()) ==
      UdpAddress::parse(posts.addressOf(*posts.here, host)->toString()));
}

TEST_CASE("a batch is cut into datagrams that arrive in order and whole") {
  Posts posts("127.0.0.1");
  auto port = posts.there->getPort();
  auto here = batchesOf(kj::mv(posts.here), posts.network);
  auto there = batchesOf(kj::mv(posts.there), posts.network);
  constexpr size_t EACH = 1'200, COUNT = 150, LAST = 7;
  auto bytes = kj::heapArray<kj::byte>(EACH * COUNT + LAST);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<kj::byte>(i / EACH);
  here->send(place(kj::str("127.0.0.1:", port)), bytes, EACH);
  std::vector<kj::Array<kj::byte>> arrived;
  size_t calls = 0;
  while (arrived.size() < COUNT + 1) {
    ++calls;
    for (auto& datagram: there->receive().wait(posts.uv.waitScope)) {
      REQUIRE(datagram.from.port == here->port());
      arrived.push_back(kj::heapArray<kj::byte>(datagram.bytes));
    }
  }
  for (size_t i = 0; i < COUNT; ++i) {
    REQUIRE(arrived[i].size() == EACH);
    REQUIRE(arrived[i][EACH - 1] == i);
  }
  REQUIRE(arrived[COUNT].size() == LAST);
  REQUIRE(calls < COUNT / 4);  // it came in batches
}

TEST_CASE("a datagram to nobody is lost without a word, and the port goes on") {
  Posts posts("127.0.0.1");
  auto port = posts.there->getPort();
  auto here = batchesOf(kj::mv(posts.here), posts.network);
  auto there = batchesOf(kj::mv(posts.there), posts.network);
  for (int i = 0; i < 3; ++i) here->send(place("127.0.0.1:1"), "lost"_kj.asBytes(), 4);
  here->send(place(kj::str("127.0.0.1:", port)), "found"_kj.asBytes(), 5);
  REQUIRE(there->receive().wait(posts.uv.waitScope)[0].bytes == "found"_kj.asBytes());
}

TEST_CASE("a receive that was dropped leaves the datagrams for the next") {
  Posts posts("127.0.0.1");
  auto to = place(kj::str("127.0.0.1:", posts.there->getPort()));
  auto here = batchesOf(kj::mv(posts.here), posts.network);
  auto there = batchesOf(kj::mv(posts.there), posts.network);
  { auto dropped = there->receive().eagerlyEvaluate(nullptr); }
  here->send(to, "kept"_kj.asBytes(), 4);
  REQUIRE(there->receive().wait(posts.uv.waitScope)[0].bytes == "kept"_kj.asBytes());
}

TEST_CASE("two ports cannot be at one address") {
  Posts posts("127.0.0.1");
  auto taken = posts.addressOf(*posts.here, "127.0.0.1");
  REQUIRE_THROWS_AS(taken->bindDatagramPort(), kj::Exception);
}

TEST_CASE("an address of a datagram is a value with a text form") {
  kj::StringPtr text = GENERATE("127.0.0.1:7", "[2001:db8::7]:4711");
  REQUIRE(place(text).toString() == text);
  REQUIRE(UdpAddress::parse("localhost:7") == nullptr);
  REQUIRE(UdpAddress::parse("[::1]") == nullptr);
  REQUIRE(place("127.0.0.1:7") < place("127.0.0.1:8"));
  REQUIRE(place("127.0.0.1:7").isIp4());
  REQUIRE(!place("[::1]:7").isIp4());
}

}  // namespace
}  // namespace hearth::transport

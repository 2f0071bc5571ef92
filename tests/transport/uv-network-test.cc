#include "transport/wire/socket-address.h"
#include "transport/wire/uv-lookup.h"
#include "transport/wire/uv-network.h"

#include <kj/debug.h>
#include <kj/filesystem.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdlib>
#include <sys/stat.h>
#include <unistd.h>

namespace hearth::transport {
namespace {

struct Pair {
  UvLoop uv;
  UvNetwork network{uv.port};
  kj::Own<kj::ConnectionReceiver> receiver;
  kj::Own<kj::AsyncIoStream> client, server;

  explicit Pair(kj::StringPtr address) {
    receiver = parse(address)->listen();
    auto target =
        address.startsWith("unix:") ? kj::str(address) : kj::str("127.0.0.1:", receiver->getPort());
    auto accepting = receiver->accept();
    client = parse(target)->connect().wait(uv.waitScope);
    server = accepting.wait(uv.waitScope);
  }

  kj::Own<kj::NetworkAddress> parse(kj::StringPtr address) {
    return network.parseAddress(address).wait(uv.waitScope);
  }
};

kj::String socketIn(kj::StringPtr name) {
  return kj::str("unix:/tmp/hearth-test-", getpid(), "-", name);
}

TEST_CASE("bytes cross a connection of either kind") {
  auto tcp = GENERATE(true, false);
  Pair pair(tcp ? kj::str("127.0.0.1:0") : socketIn("cross"));
  kj::byte buffer[5];
  pair.client->write("hello", 5).wait(pair.uv.waitScope);
  pair.server->read(buffer, 5).wait(pair.uv.waitScope);
  REQUIRE(kj::arrayPtr(buffer, 5) == kj::StringPtr("hello").asBytes());
}

TEST_CASE("64 MiB go both ways at once") {
  Pair pair("127.0.0.1:0");
  constexpr size_t SIZE = 64 << 20;
  auto data = kj::heapArray<kj::byte>(SIZE);
  for (size_t i = 0; i < SIZE; ++i) data[i] = static_cast<kj::byte>(i * 31);
  auto back = kj::heapArray<kj::byte>(SIZE), forth = kj::heapArray<kj::byte>(SIZE);
  auto sending = pair.client->write(data.begin(), SIZE).eagerlyEvaluate(nullptr);
  auto answering = pair.server->write(data.begin(), SIZE).eagerlyEvaluate(nullptr);
  auto receiving = pair.client->read(back.begin(), SIZE).eagerlyEvaluate(nullptr);
  pair.server->read(forth.begin(), SIZE).wait(pair.uv.waitScope);
  receiving.wait(pair.uv.waitScope);
  REQUIRE(back == data);
  REQUIRE(forth == data);
}

TEST_CASE("the end of a stream is read as its end") {
  Pair pair("127.0.0.1:0");
  pair.client->shutdownWrite();
  kj::byte buffer[1];
  REQUIRE(pair.server->tryRead(buffer, 1, 1).wait(pair.uv.waitScope) == 0);
}

TEST_CASE("a read that was dropped leaves the bytes for the next") {
  Pair pair("127.0.0.1:0");
  kj::byte buffer[2];
  { auto dropped = pair.server->read(buffer, 2).eagerlyEvaluate(nullptr); }
  pair.client->write("ok", 2).wait(pair.uv.waitScope);
  pair.server->read(buffer, 2).wait(pair.uv.waitScope);
  REQUIRE(kj::arrayPtr(buffer, 2) == kj::StringPtr("ok").asBytes());
}

TEST_CASE("a peer that goes away is seen by the writer") {
  Pair pair("127.0.0.1:0");
  auto gone = pair.client->whenWriteDisconnected();
  pair.server = nullptr;
  gone.wait(pair.uv.waitScope);
}

// Counts libuv's rounds while it lives.
struct Rounds {
  uint64_t count = 0;
  uv_prepare_t prepare;

  explicit Rounds(UvEventPort& port) {
    uv_prepare_init(&port.loop(), &prepare);
    prepare.data = this;
    uv_prepare_start(&prepare, [](uv_prepare_t* p) { ++static_cast<Rounds*>(p->data)->count; });
  }
  ~Rounds() {
    uv_close(reinterpret_cast<uv_handle_t*>(&prepare), nullptr);
    uv_run(prepare.loop, UV_RUN_NOWAIT);  // libuv lets go of it
  }
};

kj::Promise<void> readAll(kj::AsyncIoStream& stream) {
  kj::byte message[1];
  while (co_await stream.tryRead(message, 1, 1) > 0) {}
}

kj::Promise<void> writeNowAndThen(kj::Timer& timer, kj::AsyncIoStream& stream, size_t messages) {
  for (kj::byte message[1] = {7}; messages > 0; --messages) {
    co_await timer.afterDelay(1 * kj::MILLISECONDS);
    co_await stream.write(message, 1);
  }
}

TEST_CASE("what a message brings is done before the loop looks at the sockets again") {
  constexpr size_t MESSAGES = 100;
  Pair pair("127.0.0.1:0");
  auto reading = readAll(*pair.server).eagerlyEvaluate(nullptr);
  Rounds rounds(pair.uv.port);
  pair.uv.port.run(pair.uv.waitScope, writeNowAndThen(pair.uv.timer(), *pair.client, MESSAGES));
  REQUIRE(rounds.count >= MESSAGES);
  REQUIRE(rounds.count <= 2 * MESSAGES + 10);  // one round writes, the next reads
}

TEST_CASE("bytes that nobody reads let the loop sleep, and are there for whoever reads later") {
  Pair pair("127.0.0.1:0");
  kj::byte message[2] = {};
  pair.client->write("a", 1).wait(pair.uv.waitScope);
  pair.server->read(message, 1).wait(pair.uv.waitScope);
  pair.client->write("bc", 2).wait(pair.uv.waitScope);
  {
    Rounds rounds(pair.uv.port);
    pair.uv.port.run(pair.uv.waitScope, pair.uv.timer().afterDelay(50 * kj::MILLISECONDS));
    REQUIRE(rounds.count <= 10);
  }
  pair.server->read(message, 2).wait(pair.uv.waitScope);
  REQUIRE(kj::arrayPtr(message, 2) == kj::StringPtr("bc").asBytes());
}

TEST_CASE("a connection that is refused says where, and is of the kind to try again") {
  UvLoop uv;
  UvNetwork network(uv.port);
  auto address = network.parseAddress("127.0.0.1:1").wait(uv.waitScope);
  try {
    address->connect().wait(uv.waitScope);
    FAIL("nobody listens there");
  } catch (const kj::Exception& e) {
    REQUIRE(e.getType() == kj::Exception::Type::DISCONNECTED);
    REQUIRE(e.getDescription().startsWith("127.0.0.1:1 cannot be reached"));
  }
}

TEST_CASE(
    "a unix socket belongs to its owner alone, replaces a stale one and goes with its listener") {
  UvLoop uv;
  UvNetwork network(uv.port);
  auto text = socketIn("stale");
  auto path = text.slice(strlen("unix:"));
  auto address = network.parseAddress(text).wait(uv.waitScope);
  close(creat(path.cStr(), 0666));
  {
    auto receiver = address->listen();
    struct stat info;
    REQUIRE(stat(path.cStr(), &info) == 0);
    REQUIRE((info.st_mode & 0777) == 0600);
  }
  REQUIRE(access(path.cStr(), F_OK) != 0);
}

TEST_CASE("the other end of a unix socket is known by its user") {
  Pair pair(socketIn("credentials"));
  auto credentials = credentialsOf(*pair.server);
  REQUIRE(credentials.uid == getuid());
  REQUIRE(credentials.pid == getpid());
}

TEST_CASE("addresses are cut into host and port") {
  REQUIRE(splitHostPort("192.0.2.7:4711", 1).host == "192.0.2.7");
  REQUIRE(splitHostPort("192.0.2.7:4711", 1).port == 4711);
  REQUIRE(splitHostPort("[2001:db8::7]:4711", 1).host == "2001:db8::7");
  REQUIRE(splitHostPort("[2001:db8::7]:4711", 1).port == 4711);
  REQUIRE(splitHostPort("2001:db8::7", 4711).port == 4711);
  REQUIRE(splitHostPort("host", 4711).port == 4711);
}

TEST_CASE("what is no address is refused") {
  auto bad = GENERATE("1.2.3.4:port", "1.2.3.4:99999", "[::1", "[::1]4711");
  REQUIRE_THROWS_AS(splitHostPort(bad, 1), kj::Exception);
}

TEST_CASE("an address tells its text form") {
  REQUIRE(KJ_ASSERT_NONNULL(SocketAddress::numeric("::1", 7)).toString() == "[::1]:7");
  REQUIRE(KJ_ASSERT_NONNULL(SocketAddress::numeric("127.0.0.1", 7)).toString() == "127.0.0.1:7");
  REQUIRE(SocketAddress::numeric("localhost", 7) == nullptr);
}

SocketAddress numeric(kj::StringPtr host, kj::uint port) {
  return KJ_ASSERT_NONNULL(SocketAddress::numeric(host, port));
}

TEST_CASE("of a name's addresses the families take turns, beginning with the first") {
  std::vector<SocketAddress> found;
  for (auto host: {"::1", "::2", "::3", "192.0.2.1"}) found.push_back(numeric(host, 7));
  std::vector<std::string> order;
  for (auto& address: interleaved(found)) order.push_back(address.toString().cStr());
  REQUIRE(order == std::vector<std::string>{"[::1]:7", "192.0.2.1:7", "[::2]:7", "[::3]:7"});
  REQUIRE(interleaved({}).empty());
}

TEST_CASE("of a name's addresses no more are kept than the limit") {
  std::vector<SocketAddress> found(1'000, numeric("::1", 7));
  REQUIRE(interleaved(found).size() == ADDRESSES_OF_NAME_MAX);
}

TEST_CASE("a name whose first address refuses is reached at its second") {
  UvLoop uv;
  UvNetwork network(uv.port);
  auto receiver = network.parseAddress("127.0.0.1:0").wait(uv.waitScope)->listen();
  auto host = network.anyOf({numeric("127.0.0.1", 1), numeric("127.0.0.1", receiver->getPort())});
  auto accepting = receiver->accept();
  auto stream = host->connect().wait(uv.waitScope);
  accepting.wait(uv.waitScope);
  REQUIRE(peerAddressOf(*stream) == kj::str("127.0.0.1:", receiver->getPort()));
}

TEST_CASE("a name of which no address answers says so") {
  UvLoop uv;
  UvNetwork network(uv.port);
  auto host = network.anyOf({numeric("127.0.0.1", 1), numeric("127.0.0.1", 2)});
  REQUIRE_THROWS_AS(host->connect().wait(uv.waitScope), kj::Exception);
}

TEST_CASE("a host name is looked up") {
  UvLoop uv;
  UvNetwork network(uv.port);
  auto address = network.parseAddress("localhost:7").wait(uv.waitScope);
  auto text = address->toString();
  REQUIRE((text == "127.0.0.1:7" || text == "[::1]:7"));
}

}  // namespace
}  // namespace hearth::transport

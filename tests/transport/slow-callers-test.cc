// Callers that hold a place and do not authenticate themselves.
#include "tests/transport/circle-device.h"
#include "transport/wire/uv-network.h"

#include <algorithm>
#include <arpa/inet.h>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <deque>
#include <netinet/in.h>

namespace hearth::transport {
namespace {

// The called side's end of a pipe, from an address of IPv4.
class FromAddress final: public kj::AsyncIoStream {
 public:
  FromAddress(kj::Own<kj::AsyncIoStream> inner, uint32_t ip): inner(kj::mv(inner)), ip(ip) {}

  kj::Promise<size_t> tryRead(void* buffer, size_t minBytes, size_t maxBytes) override {
    return inner->tryRead(buffer, minBytes, maxBytes);
  }
  kj::Promise<void> write(const void* buffer, size_t size) override {
    return inner->write(buffer, size);
  }
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override {
    return inner->write(pieces);
  }
  kj::Promise<void> whenWriteDisconnected() override { return inner->whenWriteDisconnected(); }
  void shutdownWrite() override { inner->shutdownWrite(); }
  void getpeername(struct sockaddr* address, kj::uint* length) override {
    struct sockaddr_in from = {};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(ip);
    *length = sizeof(from);
    memcpy(address, &from, sizeof(from));
  }

 private:
  kj::Own<kj::AsyncIoStream> inner;
  uint32_t ip;
};

// Callers that the test makes, one pipe each.
class Street final: public kj::ConnectionReceiver {
 public:
  kj::Own<kj::AsyncIoStream> call(uint32_t from = 1) {
    auto pipe = kj::newTwoWayPipe();
    waiting.push_back(kj::heap<FromAddress>(kj::mv(pipe.ends[0]), from));
    bell.ring();
    return kj::mv(pipe.ends[1]);
  }
  kj::Promise<kj::Own<kj::AsyncIoStream>> accept() override {
    while (waiting.empty()) co_await bell.wait();
    auto stream = kj::mv(waiting.front());
    waiting.pop_front();
    co_return kj::mv(stream);
  }
  kj::Promise<kj::AuthenticatedStream> acceptAuthenticated() override {
    KJ_UNIMPLEMENTED("unused");
  }
  kj::uint getPort() override { return 0; }

 private:
  std::deque<kj::Own<kj::AsyncIoStream>> waiting;
  Bell bell;
};

struct Doorstep {
  UvLoop uv;
  UvNetwork network{uv.port};
  kj::TimerImpl timer{kj::origin<kj::TimePoint>() + 1 * kj::HOURS};
  Device laptop{2}, phone{1};
  Street& street;

  Doorstep(): Doorstep(kj::heap<Street>()) {}

  void pass(kj::Duration time) {
    timer.advanceTo(timer.now() + time);
    uv.waitScope.poll();
  }
  size_t halfOpen() {
    Holdings holdings;
    laptop.links->addTo(holdings);
    return holdings.front().now;
  }
  // Whether the other end has hung up.
  bool isOver(kj::AsyncIoStream& stream) {
    kj::byte byte[1];
    auto reading =
        stream.tryRead(byte, 1, 1)
            .then([](size_t size) { return size == 0; }, [](kj::Exception&&) { return true; });
    return reading.poll(uv.waitScope) && reading.wait(uv.waitScope);
  }
  // Whether a phone that knows this device gets in now.
  bool letsIn(uint32_t from) {
    phone.know(laptop);
    laptop.know(phone);
    HandshakeTools tools{timer, phone.entropy, phone.guard, phone};
    Carrier carrier(street.call(from));
    auto made = initiate(tools, carrier, laptop.keys.id, 1, false);
    auto outcome = made.then(
        [](auto made) { return made.has_value(); }, [](kj::Exception&&) { return false; });
    return outcome.poll(uv.waitScope) && outcome.wait(uv.waitScope);
  }
  size_t countOver(std::vector<kj::Own<kj::AsyncIoStream>>& callers) {
    return std::ranges::count_if(callers, [&](auto& caller) { return isOver(*caller); });
  }

 private:
  explicit Doorstep(kj::Own<Street> made): street(*made) {
    laptop.links = kj::heap<Links>(
        HandshakeTools{timer, laptop.entropy, laptop.guard, laptop}, network, laptop);
    laptop.links->serve(kj::mv(made));
  }
};

constexpr size_t CROWD = 1'000;

TEST_CASE("T16: of a thousand silent callers 64 are held, for five seconds") {
  Doorstep door;
  std::vector<kj::Own<kj::AsyncIoStream>> callers;
  for (size_t i = 0; i < CROWD; ++i) callers.push_back(door.street.call());
  door.pass(1 * kj::MILLISECONDS);
  REQUIRE(door.halfOpen() == Gate::HALF_OPEN_MAX);
  REQUIRE(door.countOver(callers) == CROWD - Gate::HALF_OPEN_MAX);
  door.pass(HandshakeTools::BETWEEN_RECORDS_MAX);
  REQUIRE(door.halfOpen() == 0);
  REQUIRE(door.countOver(callers) == CROWD);
}

TEST_CASE(
    "T16: a thousand callers that drip one byte after the other are gone after five seconds too") {
  Doorstep door;
  std::vector<kj::Own<kj::AsyncIoStream>> callers;
  kj::Vector<kj::Promise<void>> dripping;
  for (size_t i = 0; i < CROWD; ++i) callers.push_back(door.street.call());
  door.pass(1 * kj::MILLISECONDS);
  const kj::byte init[] = {1, 0, 6, 0, 3, 1};
  size_t most = 0;
  for (auto& byte: init) {
    for (auto& caller: callers) {
      auto writing = caller->write(&byte, 1).catch_([](kj::Exception&&) {});
      dripping.add(writing.eagerlyEvaluate(nullptr));
    }
    door.pass(900 * kj::MILLISECONDS);
    most = std::max(most, door.halfOpen());
  }
  REQUIRE(most == Gate::HALF_OPEN_MAX);
  REQUIRE(door.halfOpen() == 0);
}

TEST_CASE("T16: once a crowd is gone an honest caller gets in at once") {
  Doorstep door;
  std::vector<kj::Own<kj::AsyncIoStream>> callers;
  for (size_t i = 0; i < CROWD; ++i) callers.push_back(door.street.call());
  door.pass(1 * kj::MILLISECONDS);
  door.pass(HandshakeTools::BETWEEN_RECORDS_MAX);
  Device phone(1);
  phone.know(door.laptop);
  door.laptop.know(phone);
  HandshakeTools tools{door.timer, phone.entropy, phone.guard, phone};
  Carrier carrier(door.street.call());
  auto made = initiate(tools, carrier, door.laptop.keys.id, 1, false);
  REQUIRE(made.poll(door.uv.waitScope));
  REQUIRE(made.wait(door.uv.waitScope).has_value());
}

TEST_CASE(
    "T16: with 33 half-open callers an honest one is asked for a cookie, and gets in with it") {
  Doorstep door;
  std::vector<kj::Own<kj::AsyncIoStream>> callers;
  for (size_t i = 0; i <= Gate::HALF_OPEN_EASY; ++i) callers.push_back(door.street.call());
  Device phone(1);
  phone.know(door.laptop);
  door.laptop.know(phone);
  HandshakeTools tools{door.timer, phone.entropy, phone.guard, phone};

  // By hand first, to see the cookie.
  auto machine = beginCall(tools, door.laptop.keys.id, 1, false).wait(door.uv.waitScope).value();
  Carrier watched(door.street.call());
  watched.write(machine.initRecord()).wait(door.uv.waitScope);
  auto reply = watched.read(crypto::UNAUTHENTICATED_BYTES_MAX).wait(door.uv.waitScope).value();
  REQUIRE(reply.type == crypto::RecordType::COOKIE);

  Carrier carrier(door.street.call());
  auto made = initiate(tools, carrier, door.laptop.keys.id, 2, false);
  REQUIRE(made.poll(door.uv.waitScope));
  REQUIRE(made.wait(door.uv.waitScope).has_value());
}

TEST_CASE("T16: silent callers of one address that come again and again keep nobody else out") {
  Doorstep door;
  std::deque<kj::Own<kj::AsyncIoStream>> callers;
  for (size_t second = 0; second < 10; ++second) {
    for (size_t i = 0; i < CROWD / 10; ++i) callers.push_back(door.street.call(1));
    door.pass(1 * kj::MILLISECONDS);
    REQUIRE(door.halfOpen() >= Gate::HALF_OPEN_MAX - 1);
    REQUIRE(door.letsIn(2));
    door.pass(1 * kj::SECONDS);
  }
}

TEST_CASE("T16: silent callers of as many addresses keep an honest one out for a second at most") {
  Doorstep door;
  std::vector<kj::Own<kj::AsyncIoStream>> callers;
  for (uint32_t i = 0; i < CROWD; ++i) callers.push_back(door.street.call(100 + i));
  door.pass(1 * kj::MILLISECONDS);
  REQUIRE_FALSE(door.letsIn(2));
  door.pass(Gate::SILENT_EASY);
  REQUIRE(door.halfOpen() == Gate::HALF_OPEN_MAX);
  REQUIRE(door.letsIn(2));
}

}  // namespace
}  // namespace hearth::transport

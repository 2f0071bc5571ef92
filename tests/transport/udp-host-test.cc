#include "transport/datagram/udp-host.h"
#include "transport/wire/uv-network.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

namespace hearth::transport {
namespace {

PacketKeys keysOf(kj::byte sending, kj::byte receiving) {
  auto key = [](kj::byte value) {
    return PacketKey::make([&](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), value, 32); });
  };
  return {key(sending), key(receiving)};
}

void secure(kj::AsyncIoStream& stream, PacketKeys keys) {
  dynamic_cast<Secured&>(stream).secure(kj::mv(keys));
}

// Two hosts of one machine, each a device with a key of its own.
struct Hosts {
  using Stream = kj::Own<kj::AsyncIoStream>;

  UvLoop uv;
  UvNetwork network{uv.port};
  SystemEntropy entropy;
  crypto::DhPublic callerKey = entropy.draw<crypto::DhPublic>();
  crypto::DhPublic calledKey = entropy.draw<crypto::DhPublic>();
  kj::Own<UdpHost> caller, called;
  kj::Own<kj::ConnectionReceiver> receiver;
  Stream here, there;

  explicit Hosts(kj::StringPtr host = "127.0.0.1"_kj)
      : caller(bind(host, callerKey)),
        called(bind(host, calledKey)) {
    receiver = called->listen();
  }

  kj::Own<UdpHost> bind(kj::StringPtr host, const crypto::DhPublic& key) {
    auto port = network.parseAddress(kj::str(host, ":0")).wait(uv.waitScope)->bindDatagramPort();
    return kj::heap<UdpHost>(batchesOf(kj::mv(port), network), key, uv.timer(), entropy);
  }
  UdpAddress at(UdpHost& host) {
    return KJ_ASSERT_NONNULL(UdpAddress::parse(kj::str("127.0.0.1:", host.port())));
  }
  void connect() {
    auto accepting = receiver->accept();
    here = caller->connect(at(*called), calledKey).wait(uv.waitScope);
    // The first bytes make the conversation at the other side.
    here->write("!", 1).wait(uv.waitScope);
    there = accepting.wait(uv.waitScope);
    kj::byte first;
    there->read(&first, 1).wait(uv.waitScope);
  }
  void securely() {
    connect();
    secure(*there, keysOf(2, 1));
    secure(*here, keysOf(1, 2));
  }
};

TEST_CASE("bytes cross both ways by UDP, before and after the keys are there") {
  auto secured = GENERATE(false, true);
  Hosts hosts;
  secured ? hosts.securely() : hosts.connect();
  kj::byte buffer[5];
  hosts.here->write("hello", 5).wait(hosts.uv.waitScope);
  hosts.there->read(buffer, 5).wait(hosts.uv.waitScope);
  REQUIRE(kj::arrayPtr(buffer, 5) == "hello"_kj.asBytes());
  hosts.there->write("again", 5).wait(hosts.uv.waitScope);
  hosts.here->read(buffer, 5).wait(hosts.uv.waitScope);
  REQUIRE(kj::arrayPtr(buffer, 5) == "again"_kj.asBytes());
}

TEST_CASE("64 MiB go both ways at once by UDP") {
  Hosts hosts;
  hosts.securely();
  constexpr size_t SIZE = 64 << 20;
  auto data = kj::heapArray<kj::byte>(SIZE);
  for (size_t i = 0; i < SIZE; ++i) data[i] = static_cast<kj::byte>(i * 31 >> 5);
  auto back = kj::heapArray<kj::byte>(SIZE), forth = kj::heapArray<kj::byte>(SIZE);
  auto sending = hosts.here->write(data.begin(), SIZE).eagerlyEvaluate(nullptr);
  auto answering = hosts.there->write(data.begin(), SIZE).eagerlyEvaluate(nullptr);
  auto receiving = hosts.here->read(back.begin(), SIZE).eagerlyEvaluate(nullptr);
  hosts.there->read(forth.begin(), SIZE).wait(hosts.uv.waitScope);
  receiving.wait(hosts.uv.waitScope);
  REQUIRE(back == data);
  REQUIRE(forth == data);
}

TEST_CASE("a stream that is dropped delivers what was written, then its end") {
  Hosts hosts;
  hosts.securely();
  auto data = kj::heapArray<kj::byte>(100'000);
  memset(data.begin(), 7, data.size());
  hosts.here->write(data.begin(), data.size()).wait(hosts.uv.waitScope);
  hosts.here = nullptr;
  auto arrived = hosts.there->readAllBytes().wait(hosts.uv.waitScope);
  REQUIRE(arrived == data);
}

TEST_CASE("an end is read as an end, and the other way stays open") {
  Hosts hosts;
  hosts.securely();
  hosts.here->shutdownWrite();
  kj::byte buffer[2];
  REQUIRE(hosts.there->tryRead(buffer, 1, 1).wait(hosts.uv.waitScope) == 0);
  hosts.there->write("ok", 2).wait(hosts.uv.waitScope);
  hosts.here->read(buffer, 2).wait(hosts.uv.waitScope);
  REQUIRE(kj::arrayPtr(buffer, 2) == "ok"_kj.asBytes());
}

TEST_CASE("a host that goes says so, and whoever reads or waits learns it") {
  Hosts hosts;
  hosts.securely();
  kj::byte buffer[1];
  auto gone = hosts.there->whenWriteDisconnected();
  auto reading = hosts.there->read(buffer, 1);
  hosts.caller = nullptr;
  gone.wait(hosts.uv.waitScope);
  REQUIRE_THROWS_AS(reading.wait(hosts.uv.waitScope), kj::Exception);
  REQUIRE_THROWS_AS(hosts.here->write("x", 1).wait(hosts.uv.waitScope), kj::Exception);
}

TEST_CASE("whoever takes the device for another one is not answered") {
  Hosts hosts;
  auto accepting = hosts.receiver->accept().eagerlyEvaluate(nullptr);
  auto calling =
      hosts.caller->connect(hosts.at(*hosts.called), hosts.callerKey)
          .then([](Hosts::Stream) { return true; })
          .exclusiveJoin(
              hosts.uv.timer().afterDelay(400 * kj::MILLISECONDS).then([]() { return false; }));
  REQUIRE(!calling.wait(hosts.uv.waitScope));
  REQUIRE(!accepting.poll(hosts.uv.waitScope));
}

}  // namespace
}  // namespace hearth::transport

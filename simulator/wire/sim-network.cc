#include "simulator/wire/sim-network.h"

#include <kj/async-queue.h>
#include <kj/debug.h>

#include <arpa/inet.h>

namespace hearth::sim {

namespace {

constexpr auto CALL = Terrain::Packet::CALL;

// What answers for everybody in a hotel until somebody has logged in: a web page.
class PortalStream final: public kj::AsyncIoStream {
 public:
  static constexpr kj::StringPtr PAGE =
      "HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nConnection: close\r\n\r\n"_kj;

  kj::Promise<size_t> tryRead(void* buffer, size_t, size_t maxBytes) override {
    auto size = kj::min(maxBytes, PAGE.size() - given);
    memcpy(buffer, PAGE.begin() + given, size);
    given += size;
    return size;
  }
  kj::Promise<void> write(const void*, size_t) override { return kj::READY_NOW; }
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>>) override {
    return kj::READY_NOW;
  }
  kj::Promise<void> whenWriteDisconnected() override { return kj::NEVER_DONE; }
  void shutdownWrite() override {}

 private:
  size_t given = 0;
};

}  // namespace

// A listening socket.
class SimReceiver final: public kj::ConnectionReceiver {
 public:
  static constexpr size_t BACKLOG_MAX = 128;

  SimReceiver(NetworkStack& stack, uint16_t port): stack(stack), port(port) {
    KJ_REQUIRE(stack.listening.emplace(port, this).second, "the port is in use", port);
  }
  ~SimReceiver() noexcept(false) { stack.listening.erase(port); }

  kj::Promise<kj::Own<kj::AsyncIoStream>> accept() override { return queue.pop(); }
  kj::uint getPort() override { return port; }

  void called(kj::Own<kj::AsyncIoStream> stream) { queue.push(kj::mv(stream)); }

 private:
  NetworkStack& stack;
  uint16_t port;
  kj::ProducerConsumerQueue<kj::Own<kj::AsyncIoStream>> queue;
};

class NetworkStack::Address final: public kj::NetworkAddress {
 public:
  Address(NetworkStack& stack, Ip ip, uint16_t port): stack(stack), ip(ip), port(port) {}

  kj::Promise<kj::Own<kj::AsyncIoStream>> connect() override { return stack.connect(ip, port); }
  kj::Own<kj::ConnectionReceiver> listen() override { return stack.listen(port); }
  kj::Own<kj::NetworkAddress> clone() override { return kj::heap<Address>(stack, ip, port); }
  kj::String toString() override { return kj::str(toText(ip), ':', port); }

 private:
  NetworkStack& stack;
  Ip ip;
  uint16_t port;
};

kj::Promise<kj::Own<kj::NetworkAddress>> NetworkStack::parseAddress(
    kj::StringPtr text, kj::uint portHint) {
  auto colon = text.findLast(':');
  auto hostEnd = colon.orDefault(text.size());
  auto hostText = kj::str(text.slice(0, hostEnd));
  uint64_t port = portHint;
  KJ_IF_MAYBE(at, colon) port = text.slice(*at + 1).parseAs<uint16_t>();
  Ip ip = 0;
  if (hostText != "*") {
    struct in_addr parsed;
    KJ_REQUIRE(
        inet_pton(AF_INET, hostText.cStr(), &parsed) == 1, "not an address in this world", text);
    ip = ntohl(parsed.s_addr);
  }
  return kj::Own<kj::NetworkAddress>(kj::heap<Address>(*this, ip, static_cast<uint16_t>(port)));
}

kj::Own<kj::NetworkAddress> NetworkStack::getSockaddr(const void*, kj::uint) {
  KJ_UNIMPLEMENTED("socket addresses of a simulated network");
}

kj::Own<kj::Network> NetworkStack::restrictPeers(
    kj::ArrayPtr<const kj::StringPtr>, kj::ArrayPtr<const kj::StringPtr>) {
  KJ_UNIMPLEMENTED("Hearth decides by keys, never by address");
}

kj::Own<kj::ConnectionReceiver> NetworkStack::listen(uint16_t port) {
  return kj::heap<SimReceiver>(*this, port);
}

// A call that nobody answers fails late, one that is refused after a round trip.
kj::Promise<kj::Own<kj::AsyncIoStream>> NetworkStack::connect(Ip ip, uint16_t port) {
  auto failed = [](kj::StringPtr why) { return KJ_EXCEPTION(DISCONNECTED, why); };
  if (!host.isOn() || wire.terrain.attachments(host.index()).empty())
    kj::throwFatalException(failed("the network is unreachable"));
  auto giveUp = wire.time.now() + CONNECT_GIVE_UP_AFTER;
  auto resend = 1 * kj::SECONDS;
  for (; wire.time.now() < giveUp; resend = resend * 2) {
    auto luck = wire.chance.next();
    Chance own(luck);
    auto back = Terrain::addressIn(Terrain::networkOf(ip), host.index());
    if (wire.terrain.isCaptive(host.index())) {
      co_await wire.time.after(100 * kj::MILLISECONDS);
      co_return kj::heap<PortalStream>();
    }
    KJ_IF_MAYBE(route, wire.terrain.route(host.index(), ip, CALL)) {
      back = Terrain::addressIn(route->fromNetwork, host.index());
      auto latency = own.between(route->latencyMin, route->latencyMax);
      bool arrives =
          wire.terrain.passes(host.index(), ip, CALL) && !own.permille(route->lossPermille);
      co_await wire.time.after(2 * latency);
      auto& target = (*directory)(Terrain::deviceAt(ip));
      if (arrives && wire.terrain.passes(host.index(), ip, CALL) && target.host.isOn() &&
          target.host.isAwake() &&
          wire.terrain.passes(target.host.index(), back, Terrain::Packet::REPLY)) {
        auto found = target.listening.find(port);
        if (found == target.listening.end()) kj::throwFatalException(failed("connection refused"));
        co_return establish(target, *found->second, ip, port);
      }
    }
    co_await wire.time.after(resend);
  }
  kj::throwFatalException(failed("connection timed out"));
}

kj::Own<kj::AsyncIoStream> NetworkStack::establish(
    NetworkStack& target, SimReceiver& receiver, Ip ip, uint16_t port) {
  auto route = KJ_ASSERT_NONNULL(wire.terrain.route(host.index(), ip, CALL));
  auto back = Terrain::addressIn(route.fromNetwork, host.index());
  auto number = ++wire.connections;
  wire.observer.opened(number, host.index(), target.host.index());
  auto there = kj::refcounted<Flow>(wire, number, host, target.host, ip, back);
  auto here = kj::refcounted<Flow>(wire, number, target.host, host, back, ip);
  Flow::pair(*there, *here);
  auto ownPort = nextPort++;
  if (nextPort == 0) nextPort = 32'768;
  receiver.called(kj::heap<SimStream>(
      target.host, kj::addRef(*here), kj::addRef(*there), ip, port, back, ownPort));
  return kj::heap<SimStream>(host, kj::mv(there), kj::mv(here), back, ownPort, ip, port);
}

}  // namespace hearth::sim

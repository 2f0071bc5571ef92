#include "simulator/wire/sim-network.h"

#include <kj/debug.h>

#include <arpa/inet.h>
#include <cstring>

namespace hearth::sim {

namespace {

constexpr auto CALL = Terrain::Packet::CALL;
constexpr auto REPLY = Terrain::Packet::REPLY;
constexpr auto PORTAL_ANSWERS_AFTER = 100 * kj::MILLISECONDS;

[[noreturn]] void failed(kj::StringPtr why) {
  kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, why));
}

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
  SimReceiver(NetworkStack& stack, uint16_t port): stack(stack), port(port) {
    KJ_REQUIRE(stack.listening.emplace(port, this).second, "the port is in use", port);
  }
  ~SimReceiver() noexcept(false) { stack.listening.erase(port); }

  kj::Promise<kj::Own<kj::AsyncIoStream>> accept() override {
    while (waiting.empty()) co_await arrival.wait();
    auto first = kj::mv(waiting.front());
    waiting.pop_front();
    co_return kj::mv(first);
  }
  kj::uint getPort() override { return port; }

  bool isFull() const { return waiting.size() == NetworkStack::BACKLOG_MAX; }
  void called(kj::Own<kj::AsyncIoStream> stream) {
    waiting.push_back(kj::mv(stream));
    arrival.ring();
  }

 private:
  NetworkStack& stack;
  uint16_t port;
  std::deque<kj::Own<kj::AsyncIoStream>> waiting;
  Bell arrival;
};

kj::Promise<kj::Own<kj::AsyncIoStream>> SimAddress::connect() {
  return stack.connect(endpoint.ip, endpoint.port);
}

kj::Own<kj::ConnectionReceiver> SimAddress::listen() { return stack.listen(endpoint.port); }

kj::Own<kj::DatagramPort> SimAddress::bindDatagramPort() {
  return stack.datagrams.bind(endpoint.port);
}

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
  Endpoint endpoint{ip, static_cast<uint16_t>(port)};
  return kj::Own<kj::NetworkAddress>(kj::heap<SimAddress>(*this, endpoint));
}

kj::Own<kj::NetworkAddress> NetworkStack::getSockaddr(const void* sockaddr, kj::uint length) {
  struct sockaddr_in ip4;
  KJ_REQUIRE(length == sizeof(ip4), "only IPv4 in this world");
  memcpy(&ip4, sockaddr, sizeof(ip4));
  KJ_REQUIRE(ip4.sin_family == AF_INET, "only IPv4 in this world");
  return kj::heap<SimAddress>(*this, Endpoint{ntohl(ip4.sin_addr.s_addr), ntohs(ip4.sin_port)});
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
  if (!host.isOn() || wire.terrain.attachments(host.index()).empty())
    failed("the network is unreachable");
  auto giveUp = wire.time.now() + CONNECT_GIVE_UP_AFTER;
  for (auto again = CALL_AGAIN_AFTER; wire.time.now() < giveUp; again = again * 2) {
    auto next = kj::min(wire.time.now() + again, giveUp);
    KJ_IF_MAYBE(stream, co_await call(ip, port)) co_return kj::mv(*stream);
    co_await wire.time.at(kj::max(next, wire.time.now()));
    if (!host.isAwake()) co_await host.awake();
  }
  failed("connection timed out");
}

// One SYN, and its answer.
kj::Promise<kj::Maybe<kj::Own<kj::AsyncIoStream>>> NetworkStack::call(Ip ip, uint16_t port) {
  Chance luck(chance.next());
  if (wire.terrain.isCaptive(host.index())) {
    co_await wire.time.after(PORTAL_ANSWERS_AFTER);
    co_return kj::heap<PortalStream>();
  }
  auto self = host.index();
  auto route = wire.terrain.route(self, ip, CALL);
  if (route == nullptr) co_return nullptr;
  auto& way = KJ_ASSERT_NONNULL(route);
  if (!wire.terrain.network(way.fromNetwork).streams ||
      !wire.terrain.network(way.toNetwork).streams)
    co_return nullptr;
  auto rtt = 2 * luck.between(way.latencyMin, way.latencyMax);
  bool arrives = wire.terrain.passes(self, ip, CALL) && !luck.permille(way.lossPermille);
  co_await wire.time.after(rtt);
  auto& target = stackOf(Terrain::deviceAt(ip));
  auto back = Terrain::addressIn(way.fromNetwork, self);
  if (!arrives || !wire.terrain.passes(self, ip, CALL) || !target.host.isOn() ||
      !target.host.isAwake() || !host.isAwake() ||
      !wire.terrain.passes(target.host.index(), back, REPLY))
    co_return nullptr;
  auto found = target.listening.find(port);
  if (found == target.listening.end()) failed("connection refused");
  if (found->second->isFull()) co_return nullptr;
  co_return establish(*found->second, {host, target.host, back, ip}, rtt);
}

kj::Own<kj::AsyncIoStream> NetworkStack::establish(
    SimReceiver& receiver, Ends ends, kj::Duration rtt) {
  auto number = ++wire.connections;
  wire.observer.opened(number, ends.from.index(), ends.to.index());
  Ends reversed{ends.to, ends.from, ends.toIp, ends.fromIp};
  auto there = kj::refcounted<Flow>(wire, number, ends, Chance(chance.next()), rtt);
  auto here = kj::refcounted<Flow>(wire, number, reversed, Chance(chance.next()), rtt);
  Flow::pair(*there, *here);
  auto ownPort = nextPort++;
  if (nextPort == 0) nextPort = 32'768;
  auto port = static_cast<uint16_t>(receiver.getPort());
  receiver.called(
      kj::heap<SimStream>(reversed, kj::addRef(*here), kj::addRef(*there), port, ownPort));
  return kj::heap<SimStream>(ends, kj::mv(there), kj::mv(here), ownPort, port);
}

}  // namespace hearth::sim

#include "simulator/wire/sim-stream.h"

#include <kj/debug.h>

#include <arpa/inet.h>
#include <cstring>
#include <linux/tcp.h>
#include <sys/socket.h>

namespace hearth::sim {

namespace {

// netinet/in.h and linux/tcp.h exclude each other.
struct InternetAddress {
  uint16_t family;
  uint16_t port;
  uint32_t ip;
  kj::byte zero[8];
};

void write(Ip ip, uint16_t port, struct sockaddr* out, kj::uint* length) {
  InternetAddress address = {AF_INET, htons(port), htonl(ip), {}};
  auto size = kj::min(*length, static_cast<kj::uint>(sizeof(address)));
  memcpy(out, &address, size);
  *length = size;
}

}  // namespace

Flow::Flow(
    WireParts& wire, uint64_t connection, NetworkHost& from, NetworkHost& to, Ip toIp, Ip backIp)
    : wire(wire),
      connection(connection),
      from(from),
      to(to),
      toIp(toIp),
      backIp(backIp),
      fromBinding(wire.terrain.binding(Terrain::networkOf(backIp))),
      toBinding(wire.terrain.binding(Terrain::networkOf(toIp))) {}

Flow::~Flow() noexcept(false) {
  KJ_IF_MAYBE(other, reverse) other->reverse = nullptr;
}

void Flow::pair(Flow& one, Flow& other) {
  one.reverse = other;
  other.reverse = one;
}

void Flow::ring(kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>>& bell) {
  KJ_IF_MAYBE(waiting, bell) {
    auto fulfiller = kj::mv(*waiting);
    bell = nullptr;
    fulfiller->fulfill();
  }
}

kj::Promise<void> Flow::write(kj::ArrayPtr<const kj::byte> bytes) {
  while (bytes.size() > 0) {
    while (!dead && unacknowledged >= SEND_BUFFER_BYTES) {
      auto paf = kj::newPromiseAndFulfiller<void>();
      writer = kj::mv(paf.fulfiller);
      co_await paf.promise;
    }
    if (dead || finished) kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the peer is gone"));
    auto size = kj::min(bytes.size(), SEND_BUFFER_BYTES - unacknowledged);
    enqueue(kj::heapArray(bytes.slice(0, size)));
    bytes = bytes.slice(size, bytes.size());
  }
}

void Flow::finish() {
  if (finished || dead || gone) return;
  finished = true;
  enqueue(nullptr);
}

kj::Promise<void> Flow::broken() { return breaking.addBranch(); }

void Flow::enqueue(kj::Array<kj::byte> bytes) {
  unacknowledged += bytes.size();
  auto arrives = arrivalOf(bytes.size());
  underWay.push_back({kj::mv(bytes), arrives});
  startCourier();
}

// Drawn whether there is a path or not, so that a cut leaves all other luck as it was.
kj::TimePoint Flow::arrivalOf(size_t bytes) {
  auto now = wire.time.now();
  auto luck = wire.chance.next();
  Chance own(luck);
  KJ_IF_MAYBE(route, wire.terrain.route(from.index(), toIp, Terrain::Packet::REPLY)) {
    auto sent = wire.terrain.book(from.index(), true, bytes, route->bytesPerSecond, now);
    auto latency = own.between(route->latencyMin, route->latencyMax);
    auto resend = RESEND_AFTER;
    for (size_t at = 0; at <= bytes; at += PACKET_BYTES) {
      for (int tries = 0; own.permille(route->lossPermille) && tries < 8; ++tries) {
        latency += resend;
        resend = kj::min(resend * 2, RESEND_AFTER_MAX);
      }
    }
    lastRtt = 2 * latency;
    auto taken = wire.terrain.book(to.index(), false, bytes, route->bytesPerSecond, sent + latency);
    lastArrival = kj::max(lastArrival, taken);
  }
  lastArrival = kj::max(lastArrival, now);
  return lastArrival;
}

void Flow::startCourier() {
  if (carrying) return;
  carrying = true;
  wire.couriers.add(carry());
}

kj::Promise<void> Flow::carry() {
  auto self = kj::addRef(*this);
  while (!underWay.empty()) {
    co_await wire.time.at(kj::max(underWay.front().arrives, wire.time.now()));
    if (underWay.empty() || !co_await passage() || underWay.empty()) break;
    auto segment = kj::mv(underWay.front());
    underWay.pop_front();
    deliver(kj::mv(segment));
  }
  carrying = false;
}

bool Flow::isOpen() const {
  bool bound = wire.terrain.binding(Terrain::networkOf(toIp)) == toBinding &&
      wire.terrain.binding(Terrain::networkOf(backIp)) == fromBinding;
  auto& terrain = wire.terrain;
  return bound && to.isOn() && terrain.passes(from.index(), toIp, Terrain::Packet::REPLY) &&
      terrain.route(to.index(), backIp, Terrain::Packet::REPLY) != nullptr;
}

// Waits until a segment can arrive; false when the connection is over before that.
kj::Promise<bool> Flow::passage() {
  auto blockedSince = wire.time.now();
  for (;;) {
    if (dead || gone) co_return false;
    if (!isOpen()) {
      auto giveUp = blockedSince + GIVE_UP_AFTER;
      if (wire.time.now() >= giveUp) {
        reset();
        co_return false;
      }
      co_await wire.terrain.changed().exclusiveJoin(wire.time.at(giveUp)).exclusiveJoin(broken());
      if (!isOpen()) continue;
      // A sender that resends at growing distances notices late that the way is free again.
      auto blocked = wire.time.now() - blockedSince;
      co_await wire.time.after(
          wire.chance.between(0 * kj::SECONDS, kj::min(blocked, RESEND_AFTER_MAX)));
    } else if (!to.isAwake()) {
      co_await to.awake().exclusiveJoin(broken());
    } else if (inboxBytes >= RECEIVE_WINDOW_BYTES && !abandoned) {
      auto paf = kj::newPromiseAndFulfiller<void>();
      drained = kj::mv(paf.fulfiller);
      co_await paf.promise;
    } else {
      co_return true;
    }
  }
}

void Flow::deliver(Segment segment) {
  unacknowledged -= segment.bytes.size();
  if (abandoned) {
    if (segment.bytes.size() > 0) reset();
    return;
  }
  KJ_IF_MAYBE(route, wire.terrain.route(from.index(), toIp, Terrain::Packet::REPLY))
    wire.terrain.spend(from.index(), to.index(), *route, segment.bytes.size());
  if (segment.bytes.size() == 0) {
    ended = true;
  } else {
    wire.observer.delivered(connection, from.index(), to.index(), segment.bytes);
    inboxBytes += segment.bytes.size();
    inbox.push_back(kj::mv(segment.bytes));
  }
  ring(reader);
  ring(writer);
}

kj::Promise<size_t> Flow::read(kj::byte* buffer, size_t least, size_t most) {
  size_t total = 0;
  for (;;) {
    total += take(buffer + total, most - total);
    if (total >= least || (ended && inbox.empty())) co_return total;
    if (dead) kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "connection reset"));
    auto paf = kj::newPromiseAndFulfiller<void>();
    reader = kj::mv(paf.fulfiller);
    co_await paf.promise;
  }
}

size_t Flow::take(kj::byte* buffer, size_t most) {
  size_t total = 0;
  while (total < most && !inbox.empty()) {
    auto rest = inbox.front().slice(inboxOffset, inbox.front().size());
    auto size = kj::min(rest.size(), most - total);
    memcpy(buffer + total, rest.begin(), size);
    total += size;
    inboxOffset += size;
    if (inboxOffset == inbox.front().size()) {
      inbox.pop_front();
      inboxOffset = 0;
    }
  }
  inboxBytes -= total;
  if (total > 0 && inboxBytes < RECEIVE_WINDOW_BYTES) ring(drained);
  return total;
}

void Flow::abandon() {
  abandoned = true;
  inbox.clear();
  inboxBytes = inboxOffset = 0;
  ring(drained);
}

void Flow::reset() {
  die();
  KJ_IF_MAYBE(other, reverse) other->die();
}

void Flow::die() {
  if (dead) return;
  dead = true;
  underWay.clear();
  breakage.fulfiller->fulfill();
  ring(reader);
  ring(writer);
  ring(drained);
}

void Flow::vanish() {
  gone = true;
  underWay.clear();
  ring(drained);
}

SimStream::SimStream(NetworkHost& host, kj::Own<Flow> out, kj::Own<Flow> in, Ip self,
    uint16_t selfPort, Ip peer, uint16_t peerPort)
    : host(host),
      out(kj::mv(out)),
      in(kj::mv(in)),
      self(self),
      peer(peer),
      selfPort(selfPort),
      peerPort(peerPort) {}

SimStream::~SimStream() noexcept(false) {
  if (host.isOn()) {
    out->finish();
  } else {
    out->vanish();
  }
  in->abandon();
}

kj::Promise<size_t> SimStream::tryRead(void* buffer, size_t minBytes, size_t maxBytes) {
  return in->read(reinterpret_cast<kj::byte*>(buffer), minBytes, maxBytes);
}

kj::Promise<void> SimStream::write(const void* buffer, size_t size) {
  return out->write(kj::arrayPtr(reinterpret_cast<const kj::byte*>(buffer), size));
}

kj::Promise<void> SimStream::write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) {
  for (auto piece: pieces) co_await out->write(piece);
}

void SimStream::getsockopt(int, int option, void* value, kj::uint* length) {
  KJ_REQUIRE(option == TCP_INFO && *length >= sizeof(struct tcp_info), "no such option", option);
  struct tcp_info info = {};
  info.tcpi_rtt = static_cast<uint32_t>(out->rtt() / kj::MICROSECONDS);
  memcpy(value, &info, sizeof(info));
}

void SimStream::getsockname(struct sockaddr* addr, kj::uint* length) {
  sim::write(self, selfPort, addr, length);
}

void SimStream::getpeername(struct sockaddr* addr, kj::uint* length) {
  sim::write(peer, peerPort, addr, length);
}

}  // namespace hearth::sim

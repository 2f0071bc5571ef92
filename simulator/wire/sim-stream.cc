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

Flow::Flow(WireParts& wire, uint64_t connection, Ends ends, Chance chance, kj::Duration rtt)
    : wire(wire),
      connection(connection),
      ends(ends),
      chance(chance),
      tamperer(Chance::of(wire.seed, "tampered", (connection << 16) | ends.from.index())),
      fromBinding(wire.terrain.binding(Terrain::networkOf(ends.fromIp))),
      toBinding(wire.terrain.binding(Terrain::networkOf(ends.toIp))),
      smoothRtt(rtt) {}

Flow::~Flow() noexcept(false) {
  KJ_IF_MAYBE(other, reverse) other->reverse = nullptr;
}

void Flow::pair(Flow& one, Flow& other) {
  one.reverse = other;
  other.reverse = one;
}

kj::Promise<void> Flow::write(kj::ArrayPtr<const kj::byte> bytes) {
  while (bytes.size() > 0) {
    while (!dead && unacknowledged >= SEND_BUFFER_BYTES) co_await writer.wait();
    if (dead || finished) kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the peer is gone"));
    auto size = kj::min(bytes.size(), kj::min(SEGMENT_BYTES, SEND_BUFFER_BYTES - unacknowledged));
    enqueue(kj::heapArray(bytes.slice(0, size)));
    bytes = bytes.slice(size, bytes.size());
  }
}

void Flow::finish() {
  if (finished || dead || gone) return;
  finished = true;
  enqueue(nullptr);
}

void Flow::abort() {
  if (dead || gone) return;
  vanish();
  wire.couriers.add(carryReset());
}

void Flow::vanish() {
  gone = true;
  underWay.clear();
  drained.ring();
}

kj::Promise<void> Flow::broken() { return breaking.addBranch(); }

void Flow::enqueue(kj::Array<kj::byte> bytes) {
  unacknowledged += bytes.size();
  auto arrives = arrivalOf(bytes.size());
  underWay.push_back({kj::mv(bytes), arrives});
  if (carrying) return;
  carrying = true;
  wire.couriers.add(carry());
}

// One draw of the flow's luck for each segment, whatever comes of it.
kj::TimePoint Flow::arrivalOf(size_t bytes) {
  auto now = wire.time.now();
  pace = (pace * 3 + kj::min(now - lastWritten, RESEND_AFTER)) / 4;
  lastWritten = now;
  Chance luck(chance.next());
  auto arrival = now;
  KJ_IF_MAYBE(route, wire.terrain.route(ends.from.index(), ends.toIp, Terrain::Packet::REPLY)) {
    auto latency = luck.between(route->latencyMin, route->latencyMax);
    smoothRtt = (smoothRtt * 7 + latency * 2) / 8;
    auto sent = wire.terrain.book(ends.from.index(), ends.to.index(), *route, bytes, now);
    arrival = sent + latency + resends(route->lossPermille, bytes, luck);
  }
  return lastArrival = kj::max(lastArrival, arrival);
}

// How late the last of its packets is. Packets that follow a lost one tell of it; without them the
// timer must run out, which does so twice before it slows down (RFC 8985).
kj::Duration Flow::resends(uint32_t lossPermille, size_t bytes, Chance& luck) {
  auto first = kj::min(RESEND_AFTER, PACKETS_THAT_TELL * pace + smoothRtt);
  auto latest = 0 * kj::SECONDS;
  for (size_t at = 0; at <= bytes; at += PACKET_BYTES) {
    auto late = 0 * kj::SECONDS;
    auto resend = RESEND_AFTER;
    for (int tries = 0; tries < RESENDS_MAX && luck.permille(lossPermille); ++tries) {
      late += tries == 0 ? first : resend;
      if (tries > 0) resend = kj::min(resend * 2, RESEND_AFTER_MAX);
    }
    latest = kj::max(latest, late);
  }
  return latest;
}

// A segment is dealt with when its answer has come back: while that cannot, the next one waits, as
// behind a congestion window that does not open.
kj::Promise<void> Flow::carry() {
  auto self = kj::addRef(*this);
  while (!underWay.empty()) {
    co_await wire.time.at(kj::max(underWay.front().arrives, wire.time.now()));
    while (!underWay.empty() && !(ends.from.isAwake() && reaches() && hasRoom())) {
      co_await passage(&Flow::reaches);
      if (!underWay.empty() && !hasRoom()) co_await drained.wait();
    }
    if (underWay.empty()) break;
    auto segment = kj::mv(underWay.front());
    underWay.pop_front();
    auto size = segment.bytes.size();
    bool refused = size > 0 && (abandoned || deaf);
    deliver(kj::mv(segment.bytes), refused);
    if (!answers()) co_await passage(&Flow::answers);
    if (refused) {
      co_await wire.time.after(smoothRtt / 2);
      endAtSender();
    }
    unacknowledged -= size;
    writer.ring();
  }
  carrying = false;
}

kj::Promise<void> Flow::carryReset() {
  auto self = kj::addRef(*this);
  co_await wire.time.after(smoothRtt / 2);
  if (ends.from.isAwake() && reaches()) endAtReader();
}

// No NAT between, or the ones between still know the connection.
bool Flow::isMapped() const {
  auto fromNetwork = Terrain::networkOf(ends.fromIp), toNetwork = Terrain::networkOf(ends.toIp);
  return fromNetwork == toNetwork ||
      (wire.terrain.binding(toNetwork) == toBinding &&
          wire.terrain.binding(fromNetwork) == fromBinding);
}

// Whether a segment arrives if it is sent now: also its sender must still have the address.
bool Flow::reaches() const {
  constexpr auto REPLY = Terrain::Packet::REPLY;
  return isMapped() && ends.to.isOn() && ends.to.isAwake() &&
      wire.terrain.passes(ends.from.index(), ends.toIp, REPLY) &&
      wire.terrain.route(ends.to.index(), ends.fromIp, REPLY) != nullptr;
}

bool Flow::answers() const {
  return isMapped() && wire.terrain.passes(ends.to.index(), ends.fromIp, Terrain::Packet::REPLY);
}

bool Flow::hasRoom() const {
  return abandoned || deaf || inboxBytes == 0 ||
      inboxBytes + underWay.front().bytes.size() <= RECEIVE_WINDOW_BYTES;
}

// Waits until it is open, or the connection over to the sender: a kernel loses its patience with
// silence, though not while it sleeps itself.
kj::Promise<void> Flow::passage(bool (Flow::*isOpen)() const) {
  auto silentSince = wire.time.now();
  while (!dead && !gone) {
    if (!ends.from.isAwake()) {
      co_await ends.from.awake().exclusiveJoin(broken());
      silentSince = wire.time.now();
      continue;
    }
    if ((this->*isOpen)()) break;
    auto giveUp = silentSince + GIVE_UP_AFTER;
    if (wire.time.now() >= giveUp) co_return endAtSender();
    auto change = ends.to.isAwake() ? wire.terrain.changed() : ends.to.awake();
    co_await change.exclusiveJoin(wire.time.at(giveUp)).exclusiveJoin(broken());
    if (!(this->*isOpen)()) continue;
    // A sender that resends at growing distances notices late that the way is free again.
    auto silent = wire.time.now() - silentSince;
    co_await wire.time.after(chance.between(0 * kj::SECONDS, kj::min(silent, RESEND_AFTER_MAX)));
  }
}

void Flow::deliver(kj::Array<kj::byte> bytes, bool refused) {
  KJ_IF_MAYBE(route, wire.terrain.route(ends.from.index(), ends.toIp, Terrain::Packet::REPLY))
    wire.terrain.spend(ends.from.index(), ends.to.index(), *route, bytes.size());
  if (refused) return;
  if (bytes.size() == 0) {
    ended = true;
  } else {
    auto from = ends.from.index(), to = ends.to.index();
    wire.observer.delivered(connection, from, to, bytes);
    auto passed = tamperer.pass(kj::mv(bytes), wire.terrain.troubleOf(from, to).tampered);
    if (passed.changed) wire.observer.tampered(from, to);
    for (auto& piece: passed.pieces) {
      inboxBytes += piece.size();
      inbox.push_back(kj::mv(piece));
    }
  }
  reader.ring();
}

kj::Promise<size_t> Flow::read(kj::byte* buffer, size_t least, size_t most) {
  size_t total = 0;
  for (;;) {
    total += take(buffer + total, most - total);
    if (total >= least || (ended && inbox.empty())) co_return total;
    if (deaf) kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the connection is over"));
    co_await reader.wait();
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
  if (total > 0) drained.ring();
  return total;
}

void Flow::abandon() {
  abandoned = true;
  inbox.clear();
  inboxBytes = inboxOffset = 0;
  drained.ring();
}

// The sender's end is over, to its kernel: what it reads ends with what it writes.
void Flow::endAtSender() {
  if (dead) return;
  dead = true;
  underWay.clear();
  breakage.fulfiller->fulfill();
  writer.ring();
  drained.ring();
  KJ_IF_MAYBE(other, reverse) other->endAtReader();
}

void Flow::endAtReader() {
  if (deaf) return;
  deaf = true;
  reader.ring();
  drained.ring();
  KJ_IF_MAYBE(other, reverse) other->endAtSender();
}

SimStream::SimStream(
    Ends ends, kj::Own<Flow> out, kj::Own<Flow> in, uint16_t port, uint16_t peerPort)
    : ends(ends),
      out(kj::mv(out)),
      in(kj::mv(in)),
      port(port),
      peerPort(peerPort) {}

// A kernel answers bytes that nobody has read by a reset, instead of an end.
SimStream::~SimStream() noexcept(false) {
  if (!ends.from.isOn()) {
    out->vanish();
  } else if (in->unread() > 0) {
    out->abort();
  } else {
    out->finish();
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
  sim::write(ends.fromIp, port, addr, length);
}

void SimStream::getpeername(struct sockaddr* addr, kj::uint* length) {
  sim::write(ends.toIp, peerPort, addr, length);
}

}  // namespace hearth::sim

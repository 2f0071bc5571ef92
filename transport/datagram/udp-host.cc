#include "transport/datagram/udp-host.h"

#include "transport/datagram/udp-line.h"

#include <kj/debug.h>

namespace hearth::transport {

namespace {

constexpr size_t OUTBOX_DATAGRAMS = 48;  // in one system call: a little less than 64 KiB

PacketKind kindOf(crypto::Bytes datagram) {
  return static_cast<PacketKind>(datagram.size() == 0 ? 0 : datagram[0]);
}

[[noreturn]] void throwUnanswered(const UdpAddress& to) {
  kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED,
      kj::str(to.toString(),
          " has not answered by UDP in 5 s: see that the device is on and that nothing between drops "
          "UDP; its other addresses are tried all the same")));
}

[[noreturn]] void throwFull(kj::StringPtr what, size_t most) {
  kj::throwFatalException(KJ_EXCEPTION(OVERLOADED,
      kj::str("this device has ", most, ' ', what,
          ", as many as it may: nobody was called, and it is tried again when some are over")));
}

}  // namespace

UdpHost::UdpHost(kj::Own<DatagramSocket> socketIn, const crypto::DhPublic& self, kj::Timer& timer,
    Entropy& entropy)
    : socket(kj::mv(socketIn)),
      timer(timer),
      entropy(entropy),
      door(crypto::GateKeys::forLink(self), entropy, timer.now()),
      outbox(kj::heapArray<kj::byte>(OUTBOX_DATAGRAMS * DATAGRAM_BYTES)),
      tasks(*this) {
  tasks.add(receive());
}

UdpHost::~UdpHost() noexcept(false) {
  tasks.clear();
  waiting.clear();
  // The last words of whoever is here: the peer need not wait for silence to be noticed.
  for (auto& [id, line]: lines) {
    line->conversation.reset();
    flush(line->conversation);
    line->isClosed = true;
    line->ringAll();
  }
}

kj::Promise<kj::Own<kj::AsyncIoStream>> UdpHost::connect(UdpAddress to, crypto::DhPublic peer) {
  if (lines.size() >= LINES_MAX) throwFull("conversations by UDP", LINES_MAX);
  auto greeted = co_await greet(to, peer);
  auto& known = greeted.introduction;
  co_return streamOf(begin({.caller = true,
      .own = known.caller,
      .peer = known.called,
      .early = kj::mv(known.keys),
      .path = to,
      .roundTrip = greeted.roundTrip}));
}

kj::Promise<UdpAddress> UdpHost::seenBy(UdpAddress to, crypto::DhPublic peer) {
  auto greeted = co_await greet(to, peer);
  co_return greeted.introduction.seenAs;
}

// The first datagrams open this side's NAT for the peer's: two that call each other at once meet.
kj::Promise<UdpHost::Greeted> UdpHost::greet(UdpAddress to, crypto::DhPublic peer) {
  if (calls.size() >= CALLS_MAX) throwFull("calls by UDP that wait for an answer", CALLS_MAX);
  Call call{Caller(crypto::GateKeys::forLink(peer), entropy), to};
  calls[call.caller.id()] = &call;
  KJ_DEFER(calls.erase(call.caller.id()));
  auto datagram = call.caller.call();
  auto begun = timer.now();
  for (auto pause = CALL_AGAIN_AFTER; timer.now() - begun < CALL_GIVE_UP_AFTER; pause = pause * 2) {
    socket->send(to, datagram, datagram.size());
    co_await call.answered.wait().exclusiveJoin(timer.afterDelay(pause));
    KJ_IF_MAYBE(known, call.introduction) {
      kj::Maybe<kj::Duration> roundTrip;
      if (pause == CALL_AGAIN_AFTER) roundTrip = timer.now() - begun;
      co_return Greeted{kj::mv(*known), roundTrip};
    }
  }
  throwUnanswered(to);
}

class UdpHost::Receiver final: public kj::ConnectionReceiver {
 public:
  explicit Receiver(UdpHost& host): host(host) {}

  kj::Promise<kj::Own<kj::AsyncIoStream>> accept() override { return host.accept(); }
  kj::uint getPort() override { return host.port(); }

 private:
  UdpHost& host;
};

kj::Own<kj::ConnectionReceiver> UdpHost::listen() { return kj::heap<Receiver>(*this); }

kj::Promise<kj::Own<kj::AsyncIoStream>> UdpHost::accept() {
  accepting = true;
  while (waiting.empty()) co_await arrival.wait();
  auto first = kj::mv(waiting.front());
  waiting.pop_front();
  co_return kj::mv(first);
}

kj::Promise<void> UdpHost::receive() {
  std::vector<UdpLine*> touched;
  for (;;) {
    auto batch = co_await socket->receive();
    auto now = timer.now();
    touched.clear();
    for (auto& datagram: batch) dispatch(datagram, now, touched);
    // Once for all that came: one acknowledgement, one look at what may leave.
    for (auto line: touched) {
      line->touched = false;
      line->ringAll();
    }
  }
}

void UdpHost::dispatch(Datagram& datagram, kj::TimePoint now, std::vector<UdpLine*>& touched) {
  auto kind = kindOf(datagram.bytes);
  if (kind == PacketKind::CALL) return called(datagram, now);
  if (kind == PacketKind::COOKIE) return cookieCame(datagram);
  auto packet = readPacket(datagram.bytes);
  if (!packet) return;
  KJ_IF_MAYBE(line, lineOf(*packet, datagram, now)) {
    bool taken = line->conversation.received(*packet, datagram.bytes, datagram.from, now);
    if (!taken || line->touched) return;
    line->touched = true;
    touched.push_back(line);
  }
}

// Nothing is remembered of it, and nothing is said to whoever does not know this device.
void UdpHost::called(Datagram& datagram, kj::TimePoint now) {
  if (!accepting) return;
  KJ_IF_MAYBE(cookie, door.answer(datagram.bytes, datagram.from, now)) {
    socket->send(datagram.from, *cookie, cookie->size());
  }
}

void UdpHost::cookieCame(Datagram& datagram) {
  for (auto& [id, call]: calls) {
    if (call->to != datagram.from || call->introduction != nullptr) continue;
    auto taken = call->caller.takeCookie(datagram.bytes);
    if (!taken) continue;
    call->introduction = kj::mv(*taken);
    call->answered.ring();
    return;
  }
}

// Whom a packet is for; a new one when it opens a conversation and its sender has shown where it is.
kj::Maybe<UdpLine&> UdpHost::lineOf(const Packet& packet, Datagram& datagram, kj::TimePoint now) {
  auto found = lines.find(packet.to);
  if (found != lines.end()) return *found->second;
  if (packet.kind != PacketKind::OPENING || !accepting || waiting.size() >= BACKLOG_MAX ||
      lines.size() >= LINES_MAX)
    return nullptr;
  KJ_IF_MAYBE(known, door.admit(packet, datagram.bytes, datagram.from, now)) {
    auto& line = begin({.caller = false,
        .own = known->called,
        .peer = known->caller,
        .early = kj::mv(known->keys),
        .path = datagram.from});
    waiting.push_back(streamOf(line));
    arrival.ring();
    return line;
  }
  return nullptr;
}

UdpLine& UdpHost::begin(Conversation::Setup setup) {
  auto id = setup.own;
  UdpAddress local{.port = static_cast<uint16_t>(socket->port())};
  auto line = kj::refcounted<UdpLine>(kj::mv(setup), entropy, timer.now(), local);
  auto& begun = *line;
  tasks.add(drive(kj::addRef(begun)));
  lines[id] = kj::mv(line);
  return begun;
}

kj::Own<kj::AsyncIoStream> UdpHost::streamOf(UdpLine& line) {
  return kj::heap<UdpStream>(kj::addRef(line), timer);
}

kj::Promise<void> UdpHost::drive(kj::Own<UdpLine> line) {
  auto& conversation = line->conversation;
  for (;;) {
    conversation.tick(timer.now());
    flush(conversation);
    if (isDone(*line)) break;
    line->ringWriter();
    auto waking = line->driver.wait();
    kj::Maybe<kj::TimePoint> wakeAt = conversation.wakeAt();
    KJ_IF_MAYBE(dropped, line->droppedAt) {
      auto linger = conversation.isSecured() ? LINGER_MAX : LINGER_EARLY_MAX;
      wakeAt = kj::min(wakeAt.orDefault(*dropped + linger), *dropped + linger);
    }
    KJ_IF_MAYBE(at, wakeAt) {
      co_await waking.exclusiveJoin(timer.atTime(*at));
    } else {
      co_await waking;
    }
  }
  line->isClosed = true;
  line->ringAll();
  lines.erase(conversation.own());
}

// Whether nothing more can come of it. A dropped stream's last bytes get their time.
bool UdpHost::isDone(UdpLine& line) {
  auto& conversation = line.conversation;
  if (conversation.isOver()) return true;
  KJ_IF_MAYBE(dropped, line.droppedAt) {
    auto linger = conversation.isSecured() ? LINGER_MAX : LINGER_EARLY_MAX;
    if (!conversation.isDelivered() && timer.now() < *dropped + linger) return false;
    conversation.reset();
    flush(conversation);
    return true;
  }
  return false;
}

// Datagrams of one size for one place leave in one system call, the last may be shorter.
void UdpHost::flush(Conversation& conversation) {
  auto now = timer.now();
  size_t filled = 0, each = 0;
  UdpAddress to;
  auto leave = [&]() {
    if (filled > 0) socket->send(to, outbox.slice(0, filled), each);
    filled = 0;
  };
  for (;;) {
    if (outbox.size() - filled < DATAGRAM_BYTES) leave();
    auto slot = outbox.slice(filled, filled + DATAGRAM_BYTES);
    auto departure = conversation.next(slot, now);
    if (departure == nullptr) break;
    auto& fresh = KJ_ASSERT_NONNULL(departure);
    if (filled > 0 && (fresh.to != to || fresh.bytes > each)) {
      leave();
      memmove(outbox.begin(), slot.begin(), fresh.bytes);
    }
    if (filled == 0) {
      to = fresh.to;
      each = fresh.bytes;
    }
    filled += fresh.bytes;
    if (fresh.bytes < each) leave();
  }
  leave();
}

void UdpHost::addTo(Holdings& holdings) const {
  holdings.push_back({"conversations by UDP", lines.size(), LINES_MAX});
  holdings.push_back({"callers by UDP that wait", waiting.size(), BACKLOG_MAX});
  holdings.push_back({"own calls by UDP", calls.size(), CALLS_MAX});
  for (auto& entry: lines) entry.second->conversation.addTo(holdings);
}

void UdpHost::taskFailed(kj::Exception&& e) { KJ_LOG(ERROR, "the UDP carrier failed", e); }

}  // namespace hearth::transport

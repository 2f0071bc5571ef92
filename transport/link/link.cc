#include "transport/link/link.h"

#include "crypto/pairing/payloads.h"
#include "transport/link/udp-connector.h"
#include "transport/wire/tcp-facts.h"
#include "transport/wire/uv-network.h"

#include <kj/debug.h>

namespace hearth::transport {

namespace {

// Frames of the link itself beyond those of crypto::Frame.
constexpr uint8_t PING = 12;
constexpr uint8_t PONG = 13;
constexpr size_t TOKEN_BYTES = 8;

uint8_t number(crypto::Frame frame) { return static_cast<uint8_t>(frame); }

Error errorOf(const kj::Exception& e) {
  if (e.getType() == kj::Exception::Type::DISCONNECTED)
    return {Errc::UNKNOWN_PEER, "the carrier was cut"};
  return {Errc::BAD_FORMAT, "the link failed; see the daemon's log"};
}

}  // namespace

Link::Link(kj::Own<Carrier> carrierIn, Handshake handshakeIn, HandshakeTools tools, Owner& owner)
    : carrier(kj::mv(carrierIn)),
      handshake(kj::mv(handshakeIn)),
      timer(tools.timer),
      owner(owner),
      keys(handshake.session, !handshake.membershipOnly(), tools, *this),
      hub(kj::refcounted<LaneHub>(handshake.session.initiator)),
      liveness(timer.now()),
      exchange(tools.circle.exchange(handshake.session.peer, handshake.stranger)),
      reading(nullptr),
      writing(nullptr),
      watching(nullptr) {
  protect(carrier->raw(), handshake.session);
  carrier->readAhead();
  if (initiated()) sendOwn(number(crypto::Frame::CONFIRM), exchange->heads());
  reading = guarded(read());
  writing = guarded(write());
  watching = guarded(watch());
}

kj::Promise<void> Link::guarded(kj::Promise<void> task) {
  return task.eagerlyEvaluate([this](kj::Exception&& e) {
    if (e.getType() != kj::Exception::Type::DISCONNECTED) KJ_LOG(WARNING, "a link failed", e);
    end(errorOf(e));
  });
}

Link::~Link() noexcept(false) { hub->end(); }

Result<kj::Own<kj::AsyncIoStream>> Link::open(Lane lane, kj::ArrayPtr<const kj::byte> header) {
  if (!isUp() || membershipOnly() || closing) return no(Errc::STALE, "the link is not up");
  auto id = hub->lanes.open(lane, header);
  if (!id) return no(id.error());
  updateAttention();
  hub->writer.ring();
  return kj::Own<kj::AsyncIoStream>(kj::heap<LaneStream>(kj::addRef(*hub), *id));
}

void Link::sendNews() {
  if (isUp()) sendMembership(exchange->news());
}

void Link::close(Errc reason) {
  if (closing || over) return;
  FlatWriter body;
  body.u8(static_cast<uint8_t>(reason));
  sendOwn(number(crypto::Frame::CLOSE), body.finish());
  closing = true;
  // The writer says goodbye; a carrier that does not take it any more is not waited for.
  watching = timer.afterDelay(GOODBYE_WITHIN)
                 .then([this]() { end({Errc::STALE, "the link was closed"}); })
                 .eagerlyEvaluate(nullptr);
}

kj::Own<void> Link::attend() {
  ++attending;
  updateAttention();
  return kj::heap(kj::defer([this, alive = kj::addRef(*hub)]() {
    if (alive->isOver()) return;  // the link may be gone
    --attending;
    updateAttention();
  }));
}

Link::Facts Link::facts() {
  Facts facts{
      .rttS = rttS, .keysAge = keys.age(), .handshakes = keys.handshakes(), .lanes = traffic};
  if (auto datagrams = dynamic_cast<Secured*>(&carrier->raw())) {
    auto measured = datagrams->facts();
    facts.bandwidthBps = measured.bandwidthBps;
    if (rttS < 0) facts.rttS = measured.rttS;
    return facts;
  }
  KJ_IF_MAYBE(tcp, tcpFactsOf(carrier->raw())) {
    facts.bandwidthBps = tcp->bandwidthBps;
    if (rttS < 0) facts.rttS = tcp->rttS;
  }
  return facts;
}

kj::String Link::address() {
  kj::String address;
  // What is no socket, or none any more, has no address but the one it was called by.
  auto none = kj::runCatchingExceptions([&]() { address = peerAddressOf(carrier->raw()); });
  return none == nullptr ? kj::mv(address) : kj::str(path().text().c_str());
}

void Link::addTo(Holdings& holdings) const {
  constexpr size_t LOG_CHUNKS_MAX = crypto::PAIRING_LOG_BYTES_MAX / MEMBERSHIP_CHUNK_BYTES;
  holdings.push_back({"own frames of a link", ownFrames.size(), OWN_FRAMES_MAX + LOG_CHUNKS_MAX});
  holdings.push_back(
      {"handshake records of a link", handshakeRecords.size(), HANDSHAKE_RECORDS_MAX});
  hub->lanes.addTo(holdings);
}

kj::Promise<void> Link::read() {
  for (;;) {
    if (auto taken = receivedAll(); !taken) {
      end(taken.error());
      co_return;
    }
    co_await carrier->more();
  }
}

// All records that have come whole.
Result<void> Link::receivedAll() {
  while (!over) {
    auto found = carrier->next(crypto::DATA_BYTES_MAX);
    if (!found) return no(found.error());
    KJ_IF_MAYBE(record, *found) {
      if (auto taken = received(*record); !taken) return taken;
    } else {
      break;
    }
  }
  return {};
}

Result<void> Link::received(RecordView record) {
  bool renews =
      record.type == crypto::RecordType::HS_INIT || record.type == crypto::RecordType::HS_RESP;
  if (!peerConfirmed && renews)
    return no(Errc::BAD_FORMAT, "new keys before the first are confirmed");
  switch (record.type) {
    case crypto::RecordType::DATA:
      return data(record);
    case crypto::RecordType::HS_INIT:
      keys.called(kj::heapArray<kj::byte>(record.body));
      return {};
    case crypto::RecordType::HS_RESP:
      keys.answered(record.body);
      return {};
    default:
      return no(Errc::BAD_FORMAT, "a record that has no place on an open link");
  }
}

Result<void> Link::data(RecordView record) {
  auto index = crypto::receiverIndexOf(record.body);
  if (!index) return no(index.error());
  auto key = keys.opening(*index);
  if (key == nullptr) return no(Errc::KEYS_EXPIRED, "a record for other keys");
  auto frame = crypto::openDataInPlace(KJ_ASSERT_NONNULL(key), record.body);
  if (!frame) return no(frame.error());
  liveness.heard(timer.now());
  keys.opened(*index);
  return received(*frame);
}

Result<void> Link::received(const crypto::DataView& frame) {
  auto type = static_cast<crypto::Frame>(frame.type);
  if (type == crypto::Frame::CONFIRM) {
    if (peerConfirmed) return no(Errc::BAD_FORMAT, "a second CONFIRM");
    peerConfirmed = true;
    // A callee says nothing before the caller has shown that it holds the keys.
    if (!initiated()) sendOwn(number(crypto::Frame::CONFIRM), exchange->heads());
    ping();  // measures the way there and back
    auto taken = membership(exchange->confirmed(frame.body));
    if (taken && !over) owner.confirmed(*this);
    return taken;
  }
  if (!peerConfirmed) return no(Errc::BAD_FORMAT, "a frame before the peer's CONFIRM");
  if (ownFrames.size() >= OWN_FRAMES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a peer that asks and does not read");
  switch (type) {
    case crypto::Frame::KEEPALIVE:
      return {};
    case crypto::Frame::CLOSE:
      return no(Errc::STALE, "the peer said goodbye");
    case crypto::Frame::MEMBERSHIP:
      return membership(exchange->received(frame.body));
    default:
      break;
  }
  if (frame.type == PING) {
    if (frame.body.size() != TOKEN_BYTES) return no(Errc::BAD_FORMAT, "a PING without its token");
    sendOwn(PONG, kj::heapArray(frame.body));
    return {};
  }
  if (frame.type == PONG) {
    answered(frame.body);
    return {};
  }
  return laneFrame(frame);
}

Result<void> Link::laneFrame(const crypto::DataView& frame) {
  if (membershipOnly()) return no(Errc::NOT_AUTHORISED, "a stream on a membership link");
  auto event = hub->lanes.received(frame.type, frame.body);
  if (!event) return no(event.error());
  if (event->kind == Lanes::Event::Kind::OPENED) {
    auto header = kj::heapArray<const kj::byte>(hub->lanes.headerOf(event->stream));
    auto stream = kj::heap<LaneStream>(kj::addRef(*hub), event->stream);
    owner.incoming(*this, kj::mv(header), kj::mv(stream));
  } else if (event->kind != Lanes::Event::Kind::NOTHING) {
    if (event->kind == Lanes::Event::Kind::READABLE)
      traffic[static_cast<size_t>(hub->lanes.laneOf(event->stream))].receivedBytes +=
          frame.body.size() - sizeof(StreamId);
    hub->ring(event->stream);
  }
  updateAttention();
  hub->ringWriter();
  return {};
}

Result<void> Link::membership(Result<MembershipExchange::Step> step) {
  if (!step) return no(step.error());
  restricted = restricted || step->restricted;
  sendMembership(kj::mv(step->send));
  // The caller of a membership link ends it; the callee waits for that.
  if (step->done && membershipOnly() && initiated()) close(Errc::STALE);
  return {};
}

void Link::sendMembership(kj::Array<kj::byte> bytes) {
  for (size_t at = 0; at < bytes.size(); at += MEMBERSHIP_CHUNK_BYTES) {
    auto chunk = bytes.slice(at, kj::min(at + MEMBERSHIP_CHUNK_BYTES, bytes.size()));
    sendOwn(number(crypto::Frame::MEMBERSHIP), kj::heapArray<kj::byte>(chunk));
  }
}

void Link::sendOwn(uint8_t type, kj::Array<kj::byte> body) {
  if (closing || over) return;
  ownFrames.push_back({type, kj::mv(body)});
  hub->writer.ring();
}

// Nothing follows the end, also no reset of the streams that end with it: to the peer these would be
// streams that failed one by one on a link that still lives.
kj::Promise<void> Link::write() {
  while (!over) {
    sealBatch();
    if (batch.size() > 0) {
      hub->ringWriters();  // there is room again
      co_await carrier->write(batch.asBytes());
    } else if (closing) {
      {
        end({Errc::STALE, "the link was closed"});
        co_return;
      }
    } else {
      updateAttention();  // a stream may have gone
      co_await hub->writer.wait();
      co_await moreWrites();
    }
  }
}

// Whoever writes message by message is heard out before the first of them leaves: each record costs as much
// as the whole of a small batch. Not for as long as the loop has anything to do: a peer that keeps it busy
// would never be answered.
kj::Promise<void> Link::moreWrites() {
  for (size_t turn = 0; turn < GATHERING_TURNS_MAX; ++turn) {
    auto before = hub->writes;
    co_await kj::evalLater([]() {});
    if (hub->writes == before) co_return;
  }
}

void Link::sealBatch() {
  batch.clear();
  while (batch.size() < BATCH_BYTES && sealNext()) {}
}

bool Link::sealNext() {
  if (!handshakeRecords.empty()) {
    auto record = kj::mv(handshakeRecords.front());
    handshakeRecords.pop_front();
    memcpy(batch.add(record.size()).begin(), record.begin(), record.size());
    return true;
  }
  if (ownFrames.empty() && (!peerConfirmed || closing)) return false;
  auto sealing = keys.sealing();
  if (sealing == nullptr) return false;  // what waits is sent under new keys
  auto& [key, index] = KJ_ASSERT_NONNULL(sealing);
  Result<void> sealed;
  bool isAnswer = false;  // whoever has made it necessary sees to the keys
  if (!ownFrames.empty()) {
    auto frame = kj::mv(ownFrames.front());
    ownFrames.pop_front();
    isAnswer = frame.type == PONG || frame.type == number(crypto::Frame::KEEPALIVE);
    sealed = sealInto(batch, key, index, frame.type, frame.body);
  } else {
    auto frame = hub->lanes.next();
    if (frame == nullptr) return false;
    auto& ready = KJ_ASSERT_NONNULL(frame);
    if (ready.type == LaneFrame::STREAM) expectAnswer();
    isAnswer = ready.type == LaneFrame::CREDIT || ready.type == LaneFrame::FIN_ACK;
    if (ready.type == LaneFrame::STREAM)
      traffic[static_cast<size_t>(ready.lane)].sentBytes += ready.bytes.size();
    sealed = sealInto(batch, key, index, ready);
  }
  KJ_REQUIRE(sealed.has_value(), "a record cannot be sealed", sealed.error().because);
  if (!isAnswer) keys.sealed();
  return true;
}

void Link::sendHandshake(crypto::Buffer record, bool expectsAnswer) {
  if (over) return;
  // A peer that does not read gets the newest.
  if (handshakeRecords.size() >= HANDSHAKE_RECORDS_MAX) handshakeRecords.pop_front();
  handshakeRecords.push_back(kj::mv(record));
  if (expectsAnswer) expectAnswer();
  hub->writer.ring();
}

void Link::renewed() {
  liveness.heard(timer.now());
  sendOwn(number(crypto::Frame::KEEPALIVE), nullptr);
}

void Link::expired(Error why) { end(why); }

kj::Promise<void> Link::watch() {
  for (;;) {
    auto due = liveness.wakeAt();
    watchesUntil = due;
    KJ_IF_MAYBE(at, due) {
      co_await timer.atTime(*at).exclusiveJoin(watcher.wait());
    } else {
      co_await watcher.wait();
    }
    auto effects = liveness.tick(timer.now());
    if (effects.lost) {
      end({Errc::UNKNOWN_PEER, "the peer fell silent"});
      co_return;
    }
    if (effects.ping) ping();
  }
}

void Link::ping() {
  FlatWriter token;
  token.u64(static_cast<uint64_t>((timer.now() - kj::origin<kj::TimePoint>()) / kj::NANOSECONDS));
  pingSentAt = timer.now();
  sendOwn(PING, token.finish());
}

void Link::answered(crypto::Bytes token) {
  FlatReader in(token);
  KJ_IF_MAYBE(sentAt, pingSentAt) {
    auto sent = kj::origin<kj::TimePoint>() + static_cast<int64_t>(in.u64()) * kj::NANOSECONDS;
    if (!in.finish() || sent != *sentAt) return;
    constexpr double OLD_SHARE = 7.0 / 8;  // RFC 6298's smoothing
    auto sample = static_cast<double>((timer.now() - sent) / kj::NANOSECONDS) / 1e9;
    rttS = rttS < 0 ? sample : OLD_SHARE * rttS + (1 - OLD_SHARE) * sample;
    pingSentAt = nullptr;
  }
}

void Link::expectAnswer() {
  liveness.sent(timer.now());
  // To be woken too early is cheaper than to be told of every frame.
  KJ_IF_MAYBE(due, liveness.wakeAt()) {
    KJ_IF_MAYBE(planned, watchesUntil) {
      if (*planned <= *due) return;
    }
    watcher.ring();
  }
}

void Link::updateAttention() {
  bool wanted = isWaitedFor();
  if (wanted == liveness.isAttentive()) return;
  liveness.attend(wanted, timer.now());
  watcher.ring();
}

void Link::end(Error why) {
  if (over) return;
  over = true;
  hub->end();
  owner.closed(*this, why);
}

}  // namespace hearth::transport

#include "transport/link/link.h"

#include "crypto/pairing/payloads.h"
#include "transport/link/carrier-facts.h"
#include "transport/link/link-frames.h"
#include "transport/link/udp-connector.h"
#include "transport/wire/uv-network.h"

#include <kj/debug.h>

namespace hearth::transport {

namespace {

Error errorOf(const kj::Exception& e) {
  if (e.getType() == kj::Exception::Type::DISCONNECTED)
    return {Errc::UNKNOWN_PEER, "the carrier was cut"};
  return {Errc::BAD_FORMAT, "the link failed; see the daemon's log"};
}

SessionToken tokenOf(const crypto::SessionKeys& keys) {
  SessionToken token;
  crypto::exportKey(keys.exporter, keys.noiseH, "hearth/export/session/v1", token.bytes);
  return token;
}

}  // namespace

Link::Link(kj::Own<Carrier> carrierIn, Handshake handshakeIn, HandshakeTools tools, Owner& owner)
    : carrier(kj::mv(carrierIn)),
      handshake(kj::mv(handshakeIn)),
      timer(tools.timer),
      owner(owner),
      keys(handshake.session, !handshake.membershipOnly(), tools, *this),
      freshToken(tokenOf(handshake.session.keys)),
      pulse(timer, *this),
      exchange(tools.circle.exchange(handshake.session.peer, handshake.stranger)),
      reading(nullptr),
      writing(nullptr),
      watching(nullptr),
      placing(nullptr) {
  protect(carrier->raw(), handshake.session);
  carrier->readAhead();
  if (initiated()) sendOwn(number(crypto::Frame::CONFIRM), exchange->heads());
  reading = guarded(read());
  writing = guarded(write());
  watching = guarded(pulse.watch());
}

kj::Promise<void> Link::guarded(kj::Promise<void> task) {
  return task.eagerlyEvaluate([this](kj::Exception&& e) {
    if (e.getType() != kj::Exception::Type::DISCONNECTED) KJ_LOG(WARNING, "a link failed", e);
    end(errorOf(e), Ending::CUT);
  });
}

Link::~Link() noexcept(false) { letGo(); }

void Link::prepare(kj::Own<Session> ours) {
  KJ_REQUIRE(!membershipOnly() && !carrying && !hasLetGo);
  KJ_IF_MAYBE(before, session) (*before)->letGo(pulse);
  ours->watchedBy(pulse);
  session = kj::mv(ours);
}

void Link::say(const Resume& resume) {
  sendOwn(RESUME, encode(resume));
  pulse.expectAnswer();
}

void Link::carry() {
  carrying = everCarried = true;
  if (peerResumed) placing = nullptr;
  KJ_REQUIRE_NONNULL(session)->carriedBy(writer);
}

void Link::giveBack() {
  KJ_IF_MAYBE(ours, session) (*ours)->letGo(pulse);
  session = nullptr;
  carrying = false;
  if (peerConfirmed) expectSession();
}

void Link::letGo() {
  KJ_IF_MAYBE(ours, session) (*ours)->letGo(pulse);
  session = nullptr;
  carrying = false;
  hasLetGo = true;
}

void Link::askNow() {
  if (!isUp()) return;
  pulse.expectAnswer();
  pulse.ping();
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
                 .then([this]() { end({Errc::STALE, "the link was closed"}, Ending::OVER); })
                 .eagerlyEvaluate(nullptr);
}

void Link::closeLater(Errc reason) {
  placing = timer.afterDelay(CLOSE_LATER)
                .then([this, reason]() { close(reason); })
                .eagerlyEvaluate(nullptr);
}

Link::Facts Link::facts() {
  auto measured = carrierFactsOf(carrier->raw());
  auto rttS = pulse.rttS();
  return {.rttS = rttS < 0 ? measured.rttS : rttS,
      .bandwidthBps = measured.bandwidthBps,
      .keysAge = keys.age(),
      .handshakes = keys.handshakes()};
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
}

void Link::renewed() {
  pulse.heard();
  sendOwn(number(crypto::Frame::KEEPALIVE), nullptr);
}

void Link::expired(Error why) { end(why, Ending::CUT); }

void Link::silent() { end({Errc::UNKNOWN_PEER, "the peer fell silent"}, Ending::CUT); }

void Link::end(Error why, Ending ending) {
  if (over) return;
  over = true;
  letGo();
  owner.closed(*this, why, ending);
}

}  // namespace hearth::transport

#include "transport/datagram/greeting.h"

#include "core/base/flat.h"
#include "crypto/primitives/aead.h"

namespace hearth::transport {

namespace {

using crypto::Bytes;
using crypto::XChaChaPoly;

constexpr uint8_t VERSION = 1;
constexpr size_t ADDRESS_BYTES = UdpAddress::IP_BYTES + 2;
constexpr size_t SEALED_COOKIE_BYTES =
    crypto::Cookie::SIZE + ADDRESS_BYTES + XChaChaPoly::TAG_BYTES;

FlatWriter beginning(PacketKind kind, const ConnectionId& caller) {
  FlatWriter out;
  out.u8(static_cast<uint8_t>(kind)).u8(VERSION).u16(0).bytes(caller.asBytes());
  return out;
}

// The caller's id; none: another kind of datagram, or another version.
kj::Maybe<ConnectionId> readBeginning(PacketKind kind, FlatReader& in) {
  bool fits = in.u8() == static_cast<uint8_t>(kind) && in.u8() == VERSION && in.u16() == 0;
  auto caller = in.id<ConnectionId>();
  if (!fits || !in.good()) return nullptr;
  return caller;
}

crypto::Mac16 mac1Of(const crypto::GateKeys& gate, const ConnectionId& caller) {
  auto head = beginning(PacketKind::CALL, caller);
  return crypto::mac16(gate.mac1.asBytes(), "hearth/udp-call/v1", {head.asBytes()});
}

PacketKey keyOf(const crypto::Cookie& cookie, kj::StringPtr label, const ConnectionId& caller) {
  auto mac = crypto::mac(cookie.asBytes(), label, {caller.asBytes()});
  return PacketKey::from(mac.asBytes()).value();
}

ConnectionId calledIdOf(const crypto::Cookie& cookie, const ConnectionId& caller) {
  auto mac = crypto::mac16(cookie.asBytes(), "hearth/udp-id/v1", {caller.asBytes()});
  return ConnectionId::from(mac.asBytes().slice(0, ConnectionId::SIZE)).value();
}

crypto::SourceAddress sourceOf(const UdpAddress& address) {
  crypto::SourceAddress source{.port = address.port};
  memcpy(source.ip, address.ip, sizeof(source.ip));
  return source;
}

}  // namespace

Introduction Introduction::from(
    const crypto::Cookie& cookie, const ConnectionId& caller, bool isCaller) {
  auto i2r = keyOf(cookie, "hearth/udp-early-i2r/v1", caller);
  auto r2i = keyOf(cookie, "hearth/udp-early-r2i/v1", caller);
  auto called = calledIdOf(cookie, caller);
  if (isCaller) return {caller, called, {kj::mv(i2r), kj::mv(r2i)}, {}};
  return {caller, called, {kj::mv(r2i), kj::mv(i2r)}, {}};
}

Caller::Caller(crypto::GateKeys gate, Entropy& entropy)
    : gate(gate),
      own(entropy.draw<ConnectionId>()) {}

crypto::Buffer Caller::call() const {
  auto out = beginning(PacketKind::CALL, own);
  out.bytes(mac1Of(gate, own).asBytes());
  auto padding = kj::heapArray<kj::byte>(CALL_BYTES - out.size());
  memset(padding.begin(), 0, padding.size());
  return out.bytes(padding).finish();
}

Result<Introduction> Caller::takeCookie(Bytes datagram) const {
  FlatReader in(datagram);
  auto caller = readBeginning(PacketKind::COOKIE, in);
  auto nonce = in.id<XChaChaPoly::Nonce>();
  auto sealed = in.bytes(SEALED_COOKIE_BYTES);
  if (caller != own || !in.finish()) return no(Errc::BAD_FORMAT, "not a COOKIE for this call");
  auto opened =
      XChaChaPoly::open(gate.cookie.asBytes(), nonce, mac1Of(gate, own).asBytes(), sealed);
  if (!opened) return no(opened.error());
  FlatReader inside(*opened);
  auto cookie = inside.id<crypto::Cookie>();
  auto introduction = Introduction::from(cookie, own, true);
  memcpy(introduction.seenAs.ip, inside.bytes(UdpAddress::IP_BYTES).begin(), UdpAddress::IP_BYTES);
  introduction.seenAs.port = inside.u16();
  return introduction;
}

Doorkeeper::Doorkeeper(crypto::GateKeys gate, Entropy& entropy, kj::TimePoint now)
    : gate(gate),
      entropy(entropy),
      secret(crypto::CookieSecret::draw(entropy)),
      bornAt(now) {}

void Doorkeeper::renew(kj::TimePoint now) {
  if (now - bornAt < SECRET_LIFETIME) return;
  previous = nullptr;
  if (now - bornAt < 2 * SECRET_LIFETIME) previous = kj::mv(secret);
  secret = crypto::CookieSecret::draw(entropy);
  bornAt = now;
}

kj::Maybe<crypto::Buffer> Doorkeeper::answer(
    Bytes call, const UdpAddress& from, kj::TimePoint now) {
  if (call.size() != CALL_BYTES) return nullptr;
  FlatReader in(call);
  KJ_IF_MAYBE(caller, readBeginning(PacketKind::CALL, in)) {
    auto mac1 = mac1Of(gate, *caller);
    if (!crypto::equalSecrets(mac1.asBytes(), in.bytes(mac1.SIZE))) return nullptr;
    renew(now);
    auto cookie = crypto::cookieFor(secret, sourceOf(from));
    auto nonce = entropy.draw<XChaChaPoly::Nonce>();
    auto out = beginning(PacketKind::COOKIE, *caller);
    out.bytes(nonce.asBytes());
    FlatWriter inside;
    inside.bytes(cookie.asBytes())
        .bytes(kj::arrayPtr(from.ip, UdpAddress::IP_BYTES))
        .u16(from.port);
    out.bytes(XChaChaPoly::seal(gate.cookie.asBytes(), nonce, mac1.asBytes(), inside.asBytes()));
    return out.finish();
  }
  return nullptr;
}

kj::Maybe<Introduction> Doorkeeper::admit(
    const Packet& opening, Bytes datagram, const UdpAddress& from, kj::TimePoint now) {
  renew(now);
  auto source = sourceOf(from);
  auto found = check(crypto::cookieFor(secret, source), opening, datagram);
  if (found != nullptr) return found;
  KJ_IF_MAYBE(older, previous) return check(crypto::cookieFor(*older, source), opening, datagram);
  return nullptr;
}

kj::Maybe<Introduction> Doorkeeper::check(
    const crypto::Cookie& cookie, const Packet& opening, Bytes datagram) {
  if (calledIdOf(cookie, opening.from) != opening.to) return nullptr;
  auto introduction = Introduction::from(cookie, opening.from, false);
  if (!tagHolds(introduction.keys.receiving, opening.number, datagram)) return nullptr;
  return introduction;
}

}  // namespace hearth::transport

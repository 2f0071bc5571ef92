#include "crypto/handshake/cookies.h"

#include "core/base/flat.h"
#include "crypto/primitives/aead.h"

namespace hearth::crypto {

namespace {

constexpr uint8_t SUITE = 1;

Mac16 mac1Of(const GateKeys& gate, Bytes bodyBefore) {
  return mac16(gate.mac1.asBytes(), "hearth/mac1-msg/v1", {bodyBefore});
}

Mac16 mac2Of(const Cookie& cookie, Bytes bodyBefore) {
  return mac16(cookie.asBytes(), "hearth/mac2-msg/v1", {bodyBefore});
}

}  // namespace

GateKeys GateKeys::forLink(const DhPublic& responder) {
  return {hash("hearth/mac1/v1", {responder.asBytes()}),
      hash("hearth/cookie/v1", {responder.asBytes()})};
}

GateKeys GateKeys::forPairing(const Digest& helloHash) {
  return {hash("hearth/mac1-pair/v1", {helloHash.asBytes()}),
      hash("hearth/cookie-pair/v1", {helloHash.asBytes()})};
}

Buffer writeHsInit(const GateKeys& gate, uint8_t protocol, uint32_t senderIndex, Bytes noise,
    kj::Maybe<Cookie> cookie) {
  FlatWriter writer;
  writer.u8(protocol).u8(SUITE).u16(0).u32(senderIndex).var16(noise);
  auto mac1 = mac1Of(gate, writer.asBytes());
  writer.bytes(mac1.asBytes());
  auto mac2 = Mac16();
  KJ_IF_MAYBE(held, cookie) mac2 = mac2Of(*held, writer.asBytes());
  writer.bytes(mac2.asBytes());
  return writeRecord(RecordType::HS_INIT, writer.asBytes());
}

bool mac1Holds(const GateKeys& gate, const HsInit& init) {
  return equalSecrets(mac1Of(gate, init.underMac1).asBytes(), init.mac1.asBytes());
}

bool mac2Holds(const Cookie& cookie, const HsInit& init) {
  return equalSecrets(mac2Of(cookie, init.underMac2).asBytes(), init.mac2.asBytes());
}

Result<Cookie> openCookie(const GateKeys& gate, const Mac16& mac1, const CookieReply& reply) {
  auto nonce = XChaChaPoly::Nonce::from(reply.nonce.asBytes()).value();
  auto opened = XChaChaPoly::open(gate.cookie.asBytes(), nonce, mac1.asBytes(), reply.sealed);
  if (!opened) return no(opened.error());
  return Cookie::from(*opened);
}

Cookie cookieFor(const CookieSecret& secret, const SourceAddress& source) {
  return mac16(secret.reveal(), "hearth/cookie-addr/v1",
      {kj::arrayPtr(source.ip, sizeof(source.ip)), Little(source.port).asBytes()});
}

Buffer writeCookie(
    const GateKeys& gate, const HsInit& init, const Cookie& cookie, CookieNonce nonce) {
  FlatWriter writer;
  writer.u32(init.senderIndex).bytes(nonce.asBytes());
  writer.bytes(XChaChaPoly::seal(gate.cookie.asBytes(),
      XChaChaPoly::Nonce::from(nonce.asBytes()).value(), init.mac1.asBytes(), cookie.asBytes()));
  return writeRecord(RecordType::COOKIE, writer.asBytes());
}

CookieJar::CookieJar(Entropy& entropy, kj::TimePoint now)
    : entropy(entropy),
      secret(CookieSecret::draw(entropy)),
      bornAt(now) {}

Cookie CookieJar::cookie(const SourceAddress& source, kj::TimePoint now) {
  if (now - bornAt >= SECRET_LIFETIME) {
    secret = CookieSecret::draw(entropy);
    bornAt = now;
  }
  return cookieFor(secret, source);
}

}  // namespace hearth::crypto

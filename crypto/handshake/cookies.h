#pragma once
// How a responder refuses to work for strangers (WireGuard's cookie mechanism):
//
//   mac1   proves that the sender knows whom it talks to; wrong: dropped without an answer
//   mac2   proves, under load, that the sender receives at its address: it is keyed with a cookie
//          that the responder sealed and sent there before it did any Diffie-Hellman

#include "crypto/handshake/records.h"
#include "crypto/primitives/exchange.h"

#include <kj/time.h>

namespace hearth::crypto {

// Derived from what every honest initiator knows, hence no secrets.
struct GateKeys {
  Digest mac1;
  Digest cookie;

  static GateKeys forLink(const DhPublic& responder);
  static GateKeys forPairing(const Digest& helloHash);
};

// A whole HS_INIT record; mac2 is zero without a cookie.
Buffer writeHsInit(const GateKeys& gate, uint8_t protocol, uint32_t senderIndex, Bytes noise,
    kj::Maybe<Cookie> cookie);

bool mac1Holds(const GateKeys& gate, const HsInit& init);
bool mac2Holds(const Cookie& cookie, const HsInit& init);

// The initiator's side of a COOKIE record: `mac1` is that of the HS_INIT that it answers.
// Errors: DECRYPT_FAILED.
Result<Cookie> openCookie(const GateKeys& gate, const Mac16& mac1, const CookieReply& reply);

// The source of a carrier: IPv4 addresses are mapped into IPv6 (::ffff:a.b.c.d), in network order.
struct SourceAddress {
  kj::byte ip[16] = {};
  uint16_t port = 0;
};

using CookieSecret = Key<struct CookieSecretTag, 32>;

Cookie cookieFor(const CookieSecret& secret, const SourceAddress& source);

// A whole COOKIE record in answer to `init`.
Buffer writeCookie(
    const GateKeys& gate, const HsInit& init, const Cookie& cookie, CookieNonce nonce);

// The responder's changing secret. A cookie is good until the next change; a late one costs its
// sender one more round trip.
class CookieJar final {
 public:
  static constexpr kj::Duration SECRET_LIFETIME = 120 * kj::SECONDS;

  CookieJar(Entropy& entropy, kj::TimePoint now);

  Cookie cookie(const SourceAddress& source, kj::TimePoint now);

 private:
  Entropy& entropy;
  CookieSecret secret;
  kj::TimePoint bornAt;
};

}  // namespace hearth::crypto

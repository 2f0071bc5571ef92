#pragma once
// How two devices begin to speak by datagrams, without state at the called side until the caller has
// shown that it receives where it says it is (docs/PROTOCOL.md, "UDP carrier"):
//
//   caller                                       called
//     | CALL, mac1 under the called x_pk ------->  |   wrong mac1: nothing happens, nothing is said
//     | <------------------------------- COOKIE    |   made of the caller's address, which it tells;
//     |                                            |   kept nowhere
//     | OPENING, keys and id from the cookie --->  |   the first one that holds makes a conversation
//
// A CALL is as long as a datagram may be, a COOKIE shorter than a thirteenth of it: nobody is flooded by
// way of this device.

#include "crypto/handshake/cookies.h"
#include "transport/datagram/packet.h"
#include "transport/wire/udp-address.h"

namespace hearth::transport {

constexpr size_t CALL_BYTES = DATAGRAM_BYTES;

// What both sides derive from the cookie and the caller's id.
struct Introduction {
  ConnectionId caller, called;
  PacketKeys keys;    // from the point of view of the side that holds it
  UdpAddress seenAs;  // where the called side sees the caller; told to the caller alone

  static Introduction from(const crypto::Cookie& cookie, const ConnectionId& caller, bool isCaller);
};

class Caller final {
 public:
  // `gate` is that of the device that is called.
  Caller(crypto::GateKeys gate, Entropy& entropy);

  const ConnectionId& id() const { return own; }
  crypto::Buffer call() const;

  // Errors: BAD_FORMAT for what is no COOKIE for this call, DECRYPT_FAILED.
  Result<Introduction> takeCookie(crypto::Bytes datagram) const;

 private:
  crypto::GateKeys gate;
  ConnectionId own;
};

class Doorkeeper final {
 public:
  // A cookie is good for at least this long, at most twice.
  static constexpr kj::Duration SECRET_LIFETIME = crypto::CookieJar::SECRET_LIFETIME;

  // `gate` is this device's own.
  Doorkeeper(crypto::GateKeys gate, Entropy& entropy, kj::TimePoint now);

  // The COOKIE that answers a CALL; none: the sender does not know whom it calls.
  kj::Maybe<crypto::Buffer> answer(crypto::Bytes call, const UdpAddress& from, kj::TimePoint now);

  // For an OPENING to an id that is not known: none unless its sender has a cookie for that address.
  kj::Maybe<Introduction> admit(
      const Packet& opening, crypto::Bytes datagram, const UdpAddress& from, kj::TimePoint now);

 private:
  crypto::GateKeys gate;
  Entropy& entropy;
  crypto::CookieSecret secret;
  kj::Maybe<crypto::CookieSecret> previous;
  kj::TimePoint bornAt;

  void renew(kj::TimePoint now);
  static kj::Maybe<Introduction> check(
      const crypto::Cookie& cookie, const Packet& opening, crypto::Bytes datagram);
};

}  // namespace hearth::transport

#pragma once
// What links must know of the circle, without knowing the membership log: who is who, which keys
// count now, and the messages that keep two logs equal. The node implements it over crypto/membership
// and storage.

#include "crypto/handshake/link-handshake.h"

#include <kj/async.h>

namespace hearth::transport {

class Carrier;

// One link's share in keeping two membership logs equal. Bytes in, bytes out.
class MembershipExchange {
 public:
  struct Step {
    kj::Array<kj::byte> send;  // for the MEMBERSHIP stream; may be empty
    bool done = false;         // both sides have said that they have no more
    bool restricted = false;   // nothing but membership messages may pass from now on
  };

  // The body of this side's CONFIRM.
  virtual kj::Array<kj::byte> heads() = 0;

  // The peer's CONFIRM, then what comes on its MEMBERSHIP stream, cut anywhere.
  // Errors end the link: BAD_FORMAT, LIMIT_EXCEEDED, BAD_SIGNATURE.
  virtual Result<Step> confirmed(kj::ArrayPtr<const kj::byte> body) = 0;
  virtual Result<Step> received(kj::ArrayPtr<const kj::byte> bytes) = 0;

  // What this device has learned since, for a link that stays up. May be empty.
  virtual kj::Array<kj::byte> news() = 0;

  virtual ~MembershipExchange() noexcept(false) = default;
};

class Circle {
 public:
  enum class Standing : uint8_t { ACTIVE, SUSPENDED, GONE };  // gone: removed or retired

  struct Member {
    Standing standing;
    crypto::DhPublic x;
    crypto::BundleHash bundle;
    bool hasAes = false;  // its bundle has AES_HW set
  };

  // This device as a party of handshakes; refers to keys that live as long as the circle.
  virtual crypto::LinkSelf self() = 0;

  // None for an id that the log never brought in.
  virtual kj::Maybe<Member> find(const DeviceId& device) = 0;

  // The epoch that counts now and its PSK with that device; none where this device holds no secret.
  virtual kj::Maybe<crypto::LinkInitiator::EpochPsk> epochWith(const DeviceId& device) = 0;

  // A number for HS_INIT that was never used before, whatever crash or restart came between.
  virtual kj::Promise<uint64_t> nextInitCounter() = 0;

  // The greatest number accepted from that device, and the promise to remember a new one: it
  // resolves when the number is on disk.
  virtual uint64_t lastInitCounter(const DeviceId& device) = 0;
  virtual kj::Promise<void> acceptInitCounter(const DeviceId& device, uint64_t counter) = 0;

  // `stranger`: the peer's id is not in the log yet; it may push a little and receives nothing.
  virtual kj::Own<MembershipExchange> exchange(const DeviceId& peer, bool stranger) = 0;

  // A caller that begins with PAIR_HELLO: nobody is paired here, but whoever holds the recovery key may
  // have the log. The carrier is of no use afterwards.
  virtual kj::Promise<void> answerRecovery(
      Carrier&, crypto::Buffer /*hello*/, crypto::EphemeralGuard&) {
    return kj::READY_NOW;
  }
};

}  // namespace hearth::transport

#pragma once
// The two ends of a handshake without their carrier: what a caller says, and what is made of it. For a new
// carrier (handshaker.h) and for new keys within one (rekeyer.h).

#include "transport/link/circle.h"

#include <kj/timer.h>

namespace hearth::transport {

// What every handshake of this process shares.
struct HandshakeTools {
  static constexpr kj::Duration AUTHENTICATE_WITHIN = 10 * kj::SECONDS;
  static constexpr kj::Duration BETWEEN_RECORDS_MAX = 5 * kj::SECONDS;
  // A secret may change between a cookie and its use; one that changes twice is a peer's game.
  static constexpr int COOKIES_MAX = 2;

  kj::Timer& timer;
  Entropy& entropy;
  crypto::EphemeralGuard& guard;
  Circle& circle;
};

// With `resync` IKhfs is spoken, which needs no epoch. `index` names the new keys.
// Errors: UNKNOWN_PEER; EPOCH_UNKNOWN when this device holds no epoch secret (then resync); SMALL_ORDER.
kj::Promise<Result<crypto::LinkInitiator>> beginCall(
    HandshakeTools tools, DeviceId peer, uint32_t index, bool resync);

// A call that has opened and is no replay. It says who calls; nothing else in it may be acted on before a
// record opens under the keys.
class Call final {
 public:
  crypto::LinkStatus status = crypto::LinkStatus::OK;
  bool stranger = false;  // not in the log; it may push membership messages alone

  const DeviceId& caller() const { return machine.opening().device; }
  bool isResync() const { return machine.opening().protocol == crypto::Protocol::IKHFS; }

  // Resolves when the call's number is on disk, so that it is never accepted again.
  kj::Promise<void> accept(Circle& circle);

  // Call once, after accept(). Errors: those of LinkResponder::answer.
  Result<crypto::LinkResponder::Answer> answer(uint32_t index);

 private:
  friend Result<Call> openCall(HandshakeTools, crypto::Bytes);

  crypto::LinkResponder machine;
  kj::Maybe<crypto::LinkPsk> psk;
  crypto::BundleHash bundle;
  bool hasAes = false;

  explicit Call(crypto::LinkResponder machine): machine(kj::mv(machine)) {}
  Result<void> judgeBy(Circle& circle);
};

// Takes the body of an HS_INIT whose mac1 and cookie state may not have been checked yet.
// Errors: BAD_MAC; those of LinkResponder::open and judge(); UNKNOWN_PEER; EPOCH_UNKNOWN.
Result<Call> openCall(HandshakeTools tools, crypto::Bytes body);

}  // namespace hearth::transport

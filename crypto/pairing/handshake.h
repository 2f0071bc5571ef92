#pragma once
// The handshake of a pairing in its records: XXhfs by SAS, otherwise XXhfspsk0 under what both sides
// know. That of a recovery is the same. Whether the peer is the one meant, the machines find out.
//
//   PairInitiator                               PairResponder
//   hello()        PAIR_HELLO ->                takeHello()
//   takeReply()    <- PAIR_REPLY                reply(), begin()
//   begin()        HS_INIT ->                   takeInit()
//   takeResponse() <- HS_RESP                   response()
//   final()        HS_FINAL ->                  takeFinal()
//   finish()                                    finish()
//
// Errors are those of the records and of Noise; the first one ends the handshake.

#include "crypto/handshake/ephemeral-guard.h"
#include "crypto/pairing/channel.h"
#include "crypto/pairing/hello.h"
#include "crypto/pairing/payloads.h"

namespace hearth::crypto {

// What both sides hold when the handshake is done.
struct PairSession {
  NoiseH noiseH;
  PairChannel channel;
};

class PairHandshake {
 public:
  PairMethod method() const { return own.method; }
  const PairNonce& nonce() const { return own.nonce; }
  const Digest& hellos() const {
    return hellosHashed;
  }  // helloHash() of the two, once both are known

  // Whether the peer has proved that it is the device of `bundle`.
  // Errors: UNKNOWN_PEER when its static key is another.
  Result<void> checkOwner(const Bundle& bundle) const;

  // Requires that all messages have been written and read. Call once.
  PairSession finish();

 protected:
  // `keys` outlive it.
  PairHandshake(bool initiator, PairMethod method, const DeviceKeys& keys, Entropy& entropy,
      EphemeralGuard& guard);

  bool initiator;
  const DeviceKeys& keys;
  Entropy& entropy;
  EphemeralGuard& guard;
  PairHello own;
  uint32_t index;
  uint32_t peerIndex = 0;
  Digest hellosHashed;
  kj::Maybe<Noise> noise;

  Noise& beginNoise(kj::Maybe<Psk> psk);
  // The message that introduces this device by its bundle.
  Result<Buffer> introduce(const Bundle& bundle, const PairContribution& contribution);
};

class PairInitiator final: public PairHandshake {
 public:
  PairInitiator(PairMethod method, const DeviceKeys& keys, Entropy& entropy, EphemeralGuard& guard);

  Buffer hello() const;
  // What the peer says, its method not yet compared.
  Result<PairHello> takeReply(Bytes body);
  // The HS_INIT record; with a psk unless by SAS.
  Result<Buffer> begin(kj::Maybe<Psk> psk);
  // The payload, that of an introduction; that it opened proves that the peer knows the psk.
  // Errors: BAD_FORMAT for an answer to another handshake.
  Result<Buffer> takeResponse(Bytes body);
  Result<Buffer> final(const Bundle& bundle, const PairContribution& contribution);
};

class PairResponder final: public PairHandshake {
 public:
  PairResponder(PairMethod method, const DeviceKeys& keys, Entropy& entropy, EphemeralGuard& guard);

  // What the peer says, its method not yet compared.
  Result<PairHello> takeHello(Bytes body);
  Buffer reply() const;
  // With a psk unless by SAS.
  void begin(kj::Maybe<Psk> psk);
  // Errors: BAD_VERSION for another suite or protocol, BAD_MAC for an initiation that does not
  // follow these hellos, BAD_FORMAT for one with a payload.
  Result<void> takeInit(Bytes body);
  // Whether takeInit refused a message 1 that did not open, which is most likely a wrong psk.
  bool refusedInit() const { return wrongInit; }
  Result<Buffer> response(const Bundle& bundle, const PairContribution& contribution);
  // The payload, that of an introduction. Errors: BAD_FORMAT for a record for other keys.
  Result<Buffer> takeFinal(Bytes body);

 private:
  bool wrongInit = false;
};

}  // namespace hearth::crypto

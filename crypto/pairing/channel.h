#pragma once
// The authenticated part of a pairing: PAIRING messages in DATA records, over the keys of its own
// handshake.

#include "crypto/handshake/data.h"
#include "crypto/handshake/messages.h"

#include <kj/vector.h>

namespace hearth::crypto {

class PairChannel final {
 public:
  PairChannel(SessionKeys keys, bool initiator, uint32_t ownIndex, uint32_t peerIndex);

  // Whole records. Requires body.size() <= MESSAGE_BODY_BYTES_MAX.
  kj::Vector<Buffer> send(uint8_t kind, Bytes body);

  // The messages that the body of a DATA record completes.
  // Errors: BAD_FORMAT for another frame or index, BAD_LENGTH, DECRYPT_FAILED.
  Result<kj::Vector<Message>> take(Bytes recordBody);

 private:
  SendingKey sending;
  ReceivingKey receiving;
  uint32_t ownIndex;
  uint32_t peerIndex;
  MessageReader reader;
};

// The machine of one side: with a psk the one of QR and code, without it the one of SAS. The static
// key outlives it.
Noise pairingNoise(bool initiator, const DhSecret& own, DhSecret ephemeral, kj::Maybe<Psk> psk,
    Bytes prologue, Entropy& entropy);

}  // namespace hearth::crypto

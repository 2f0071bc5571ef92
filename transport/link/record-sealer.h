#pragma once
// Frames into records that are sealed where they will be written from: DATA, or BULK for a chunk that says so.

#include "crypto/handshake/key-ring.h"
#include "transport/link/batch.h"
#include "transport/link/lane-streams.h"

namespace hearth::transport {

// Adds one record. `receiverIndex`: by which the peer knows the key. Errors: KEYS_EXPIRED.
Result<void> sealInto(Batch& batch, crypto::SendingKey& key, uint32_t receiverIndex, uint8_t type,
    crypto::Bytes body);
Result<void> sealInto(Batch& batch, crypto::KeyRing::Sealing& keys, const LaneOutFrame& frame);

}  // namespace hearth::transport

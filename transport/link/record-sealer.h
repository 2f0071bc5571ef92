#pragma once
// Frames into DATA records that are sealed where they will be written from.

#include "crypto/handshake/data.h"
#include "transport/link/batch.h"
#include "transport/link/lane-streams.h"

namespace hearth::transport {

// Adds one record. `receiverIndex`: by which the peer knows the key. Errors: KEYS_EXPIRED.
Result<void> sealInto(Batch& batch, crypto::SendingKey& key, uint32_t receiverIndex, uint8_t type,
    crypto::Bytes body);
Result<void> sealInto(
    Batch& batch, crypto::SendingKey& key, uint32_t receiverIndex, const LaneOutFrame& frame);

}  // namespace hearth::transport

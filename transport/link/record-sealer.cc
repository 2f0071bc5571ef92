#include "transport/link/record-sealer.h"

#include <kj/debug.h>

namespace hearth::transport {

using crypto::Padding;

Result<void> sealInto(Batch& batch, crypto::SendingKey& key, uint32_t receiverIndex, uint8_t type,
    crypto::Bytes body) {
  auto record = batch.add(crypto::dataRecordBytes(body.size(), Padding::INTERACTIVE));
  if (body.size() > 0) memcpy(record.begin() + crypto::DATA_BODY_AT, body.begin(), body.size());
  return crypto::sealDataInPlace(key, receiverIndex, type, body.size(), record);
}

Result<void> sealInto(Batch& batch, crypto::KeyRing::Sealing& keys, const LaneOutFrame& frame) {
  if (frame.bulk) {
    auto record = batch.add(frame.bytes.size() + crypto::BULK_OVERHEAD_BYTES);
    frame.copyTo(record.begin() + crypto::BULK_DATA_AT);
    auto& bulk = KJ_ASSERT_NONNULL(keys.bulk);
    return bulk.sealInPlace(
        keys.receiverIndex, keys.key.counter(), frame.stream, frame.offset, record);
  }
  auto padding = frame.lane == Lane::BULK ? Padding::OTHER : Padding::INTERACTIVE;
  auto record = batch.add(crypto::dataRecordBytes(frame.bodyBytes(), padding));
  frame.copyTo(record.begin() + crypto::DATA_BODY_AT);
  return crypto::sealDataInPlace(
      keys.key, keys.receiverIndex, static_cast<uint8_t>(frame.type), frame.bodyBytes(), record);
}

}  // namespace hearth::transport

#include "transport/link/record-sealer.h"

namespace hearth::transport {

using crypto::Padding;

Result<void> sealInto(Batch& batch, crypto::SendingKey& key, uint32_t receiverIndex, uint8_t type,
    crypto::Bytes body) {
  auto record = batch.add(crypto::dataRecordBytes(body.size(), Padding::INTERACTIVE));
  if (body.size() > 0) memcpy(record.begin() + crypto::DATA_BODY_AT, body.begin(), body.size());
  return crypto::sealDataInPlace(key, receiverIndex, type, body.size(), record);
}

Result<void> sealInto(
    Batch& batch, crypto::SendingKey& key, uint32_t receiverIndex, const LaneOutFrame& frame) {
  auto padding = frame.lane == Lane::BULK ? Padding::OTHER : Padding::INTERACTIVE;
  auto record = batch.add(crypto::dataRecordBytes(frame.bodyBytes(), padding));
  frame.copyTo(record.begin() + crypto::DATA_BODY_AT);
  return crypto::sealDataInPlace(
      key, receiverIndex, static_cast<uint8_t>(frame.type), frame.bodyBytes(), record);
}

}  // namespace hearth::transport

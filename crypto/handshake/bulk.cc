#include "crypto/handshake/bulk.h"

#include "core/base/flat.h"

#include <kj/debug.h>

#include <cstring>

namespace hearth::crypto {

namespace {
constexpr size_t CLEAR_BYTES = 4 + 8;  // receiver_index and noise_n
constexpr size_t HEAD_BYTES = 4 + 8;   // stream_id and offset
constexpr size_t TAG_BYTES = Aegis256::TAG_BYTES;
static_assert(CLEAR_BYTES + HEAD_BYTES + BULK_DATA_BYTES_MAX + TAG_BYTES == BULK_BYTES_MAX);

Buffer headerOf(size_t bodyBytes) {
  FlatWriter writer;
  writer.u8(static_cast<uint8_t>(RecordType::BULK)).u24(static_cast<uint32_t>(bodyBytes));
  return writer.finish();
}
}  // namespace

BulkKey bulkKey(const ExporterSecret& exporter, const NoiseH& noiseH, Direction direction) {
  auto label =
      direction == Direction::I2R ? "hearth/export/bulk-i2r/v1"_kj : "hearth/export/bulk-r2i/v1"_kj;
  return BulkKey::make(
      [&](kj::ArrayPtr<kj::byte> out) { exportKey(exporter, noiseH, label, out); });
}

Result<Buffer> BulkSender::seal(
    uint32_t receiverIndex, uint64_t noiseN, uint32_t streamId, uint64_t offset, Bytes data) {
  KJ_REQUIRE(data.size() <= BULK_DATA_BYTES_MAX, data.size());
  auto record = kj::heapArray<kj::byte>(data.size() + BULK_OVERHEAD_BYTES);
  if (data.size() > 0) memcpy(record.begin() + BULK_DATA_AT, data.begin(), data.size());
  auto sealed = sealInPlace(receiverIndex, noiseN, streamId, offset, record);
  if (!sealed) return no(sealed.error());
  return kj::mv(record);
}

Result<void> BulkSender::sealInPlace(uint32_t receiverIndex, uint64_t noiseN, uint32_t streamId,
    uint64_t offset, kj::ArrayPtr<kj::byte> record) {
  KJ_REQUIRE(record.size() >= BULK_OVERHEAD_BYTES &&
      record.size() <= BULK_DATA_BYTES_MAX + BULK_OVERHEAD_BYTES);
  if (counter == CipherState::NONCE_RESERVED) {
    return no(Errc::KEYS_EXPIRED, "a bulk key's counter has run out");
  }
  FlatWriter head;
  head.bytes(headerOf(record.size() - RECORD_HEADER_BYTES));
  head.u32(receiverIndex).u64(noiseN);
  auto aadBytes = head.size();
  head.u32(streamId).u64(offset);
  memcpy(record.begin(), head.asBytes().begin(), head.size());
  auto sealed = record.slice(aadBytes, record.size());
  Aegis256::seal(key.reveal(), counterNonce<Aegis256::Nonce>(counter++), record.slice(0, aadBytes),
      sealed.slice(0, sealed.size() - TAG_BYTES), sealed);
  return {};
}

Result<BulkChunk> BulkReceiver::open(Bytes recordBody, uint64_t noiseN) {
  auto plain = kj::heapArray(recordBody);
  auto view = openInPlace(plain, noiseN);
  if (!view) return no(view.error());
  return BulkChunk{view->streamId, view->offset, kj::mv(plain), view->data};
}

Result<BulkView> BulkReceiver::openInPlace(kj::ArrayPtr<kj::byte> recordBody, uint64_t noiseN) {
  if (recordBody.size() < CLEAR_BYTES + HEAD_BYTES + TAG_BYTES ||
      recordBody.size() > BULK_BYTES_MAX) {
    return no(Errc::BAD_FORMAT, "a BULK record of an impossible length");
  }
  if (counter == CipherState::NONCE_RESERVED) {
    return no(Errc::KEYS_EXPIRED, "a bulk key's counter has run out");
  }
  FlatReader clear(recordBody);
  clear.u32();
  if (clear.u64() != noiseN) return no(Errc::REPLAY, "a BULK record out of its place");

  FlatWriter aad;
  aad.bytes(headerOf(recordBody.size())).bytes(recordBody.slice(0, CLEAR_BYTES));
  auto sealed = recordBody.slice(CLEAR_BYTES, recordBody.size());
  auto plain = sealed.slice(0, sealed.size() - TAG_BYTES);
  auto opened = Aegis256::open(
      key.reveal(), counterNonce<Aegis256::Nonce>(counter), aad.asBytes(), sealed, plain);
  if (!opened) return no(opened.error());
  ++counter;
  FlatReader reader(plain);
  auto streamId = reader.u32();
  auto offset = reader.u64();
  return BulkView{streamId, offset, reader.remaining()};
}

}  // namespace hearth::crypto

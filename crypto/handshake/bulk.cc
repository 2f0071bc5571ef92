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

constexpr size_t AAD_BYTES = RECORD_HEADER_BYTES + CLEAR_BYTES;

template <typename T>
kj::byte* put(kj::byte* at, T value, size_t bytes = sizeof(T)) {
  for (size_t i = 0; i < bytes; ++i)
    at[i] = static_cast<kj::byte>(static_cast<uint64_t>(value) >> (8 * i));
  return at + bytes;
}

kj::byte* putHeader(kj::byte* at, size_t bodyBytes) {
  *at = static_cast<kj::byte>(RecordType::BULK);
  return put(at + 1, bodyBytes, RECORD_HEADER_BYTES - 1);
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
  auto at = putHeader(record.begin(), record.size() - RECORD_HEADER_BYTES);
  at = put(put(at, receiverIndex), noiseN);
  put(put(at, streamId), offset);
  auto sealed = record.slice(AAD_BYTES, record.size());
  Aegis256::seal(key.reveal(), counterNonce<Aegis256::Nonce>(counter++), record.slice(0, AAD_BYTES),
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

  kj::byte aad[AAD_BYTES];
  memcpy(putHeader(aad, recordBody.size()), recordBody.begin(), CLEAR_BYTES);
  auto sealed = recordBody.slice(CLEAR_BYTES, recordBody.size());
  auto plain = sealed.slice(0, sealed.size() - TAG_BYTES);
  auto opened =
      Aegis256::open(key.reveal(), counterNonce<Aegis256::Nonce>(counter), aad, sealed, plain);
  if (!opened) return no(opened.error());
  ++counter;
  FlatReader reader(plain);
  auto streamId = reader.u32();
  auto offset = reader.u64();
  return BulkView{streamId, offset, reader.remaining()};
}

}  // namespace hearth::crypto

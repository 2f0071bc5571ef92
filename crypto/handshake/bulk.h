#pragma once
// BULK records carry large transfers between two devices that both have AES instructions (and have
// both said so in their signed bundles; nothing is negotiated):
//
//   header | u32 receiver_index | u64 noise_n | AEGIS-256(key, nonce, aad, plain), tag 32 bytes
//   plain = u32 stream_id | u64 offset | up to 1 MiB of data
//   nonce = 24 zero bytes || u64 counter     aad = header || receiver_index || noise_n
//
// noise_n is the sender's next DATA counter: it fixes the order of bulk records among DATA records.

#include "crypto/handshake/data.h"
#include "crypto/primitives/aead.h"

namespace hearth::crypto {

constexpr size_t BULK_DATA_BYTES_MAX = 1 << 20;
constexpr size_t BULK_DATA_AT = RECORD_HEADER_BYTES + 4 + 8 + 4 + 8;
constexpr size_t BULK_OVERHEAD_BYTES = BULK_DATA_AT + Aegis256::TAG_BYTES;
using BulkKey = Key<struct BulkKeyTag, 32>;

enum class Direction : uint8_t { I2R, R2I };

BulkKey bulkKey(const ExporterSecret& exporter, const NoiseH& noiseH, Direction direction);

class BulkSender final {
 public:
  explicit BulkSender(BulkKey key, uint64_t counter = 0): key(kj::mv(key)), counter(counter) {}

  // A whole record. Requires data.size() <= BULK_DATA_BYTES_MAX. Errors: KEYS_EXPIRED.
  Result<Buffer> seal(
      uint32_t receiverIndex, uint64_t noiseN, uint32_t streamId, uint64_t offset, Bytes data);

  // The same where the record will lie, without a copy. `record` holds BULK_OVERHEAD_BYTES more than the
  // data, which begins at BULK_DATA_AT.
  Result<void> sealInPlace(uint32_t receiverIndex, uint64_t noiseN, uint32_t streamId,
      uint64_t offset, kj::ArrayPtr<kj::byte> record);

 private:
  BulkKey key;
  uint64_t counter;
};

struct BulkChunk {
  uint32_t streamId;
  uint64_t offset;
  Buffer plain;
  Bytes data;  // inside `plain`
};

struct BulkView {
  uint32_t streamId;
  uint64_t offset;
  Bytes data;  // inside the record
};

class BulkReceiver final {
 public:
  explicit BulkReceiver(BulkKey key, uint64_t counter = 0): key(kj::mv(key)), counter(counter) {}

  // Opens the body of a BULK record. `noiseN` is the number of DATA records received so far.
  // Errors: BAD_FORMAT; REPLAY when the record stands at another place among the DATA records;
  // DECRYPT_FAILED; KEYS_EXPIRED. All end the link.
  Result<BulkChunk> open(Bytes recordBody, uint64_t noiseN);

  // The same within the record itself, whose bytes are the plaintext from then on.
  Result<BulkView> openInPlace(kj::ArrayPtr<kj::byte> recordBody, uint64_t noiseN);

 private:
  BulkKey key;
  uint64_t counter;
};

}  // namespace hearth::crypto

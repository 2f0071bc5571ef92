#pragma once
// DATA records, the ordinary traffic of a link:
//
//   header | u32 receiver_index | ChaCha20-Poly1305(key, n, ad = "", plain)
//   plain = u8 frame | u16 body_len | body | zero padding
//
// Padding hides lengths: interactive traffic to the next multiple of 16 bytes, other traffic to
// 1024, 4096, 16384 or 65519.

#include "crypto/handshake/records.h"
#include "crypto/handshake/session.h"

namespace hearth::crypto {

constexpr size_t DATA_PLAIN_BYTES_MAX = 65519;
constexpr size_t DATA_FRAME_BYTES_MAX = DATA_PLAIN_BYTES_MAX - 3;

enum class Padding : uint8_t { INTERACTIVE, OTHER };

// Frame types below the lanes; 8..31 belong to those (docs/PROTOCOL.md).
enum class Frame : uint8_t {
  KEEPALIVE = 0,
  CONFIRM = 1,
  CLOSE = 2,
  MEMBERSHIP = 3,
  STREAM = 4,
  EVIDENCE = 5,
  BULK_END = 6,
  PAIRING = 7,
};

struct DataFrame {
  uint8_t type;
  Buffer plain;
  Bytes body;  // inside `plain`
};

// The size a plaintext of `size` bytes is padded to. Requires size <= DATA_PLAIN_BYTES_MAX.
size_t paddedSize(size_t size, Padding padding);

// The padded plaintext. Requires body.size() <= DATA_FRAME_BYTES_MAX.
Buffer dataPlain(uint8_t frame, Bytes body, Padding padding);

// A whole record. Errors: KEYS_EXPIRED.
Result<Buffer> sealData(
    SendingKey& key, uint32_t receiverIndex, uint8_t frame, Bytes body, Padding padding);

// The same where the record will lie, without a copy of its body. `record` holds dataRecordBytes() and,
// from DATA_BODY_AT on, the body.
constexpr size_t DATA_BODY_AT = RECORD_HEADER_BYTES + 4 + 3;
size_t dataRecordBytes(size_t bodyBytes, Padding padding);
Result<void> sealDataInPlace(SendingKey& key, uint32_t receiverIndex, uint8_t frame,
    size_t bodyBytes, kj::ArrayPtr<kj::byte> record);

// Which keys a record is for; says nothing about who sent it. Errors: BAD_FORMAT.
Result<uint32_t> receiverIndexOf(Bytes recordBody);

// Opens the body of a DATA record.
// Errors: BAD_FORMAT for a body that is too short, a length that does not fit or padding that is not
// zero; DECRYPT_FAILED; KEYS_EXPIRED. All end the link.
Result<DataFrame> openData(ReceivingKey& key, Bytes recordBody);

// The same within the record itself, whose bytes are the plaintext from then on.
struct DataView {
  uint8_t type;
  Bytes body;  // inside the record
};
Result<DataView> openDataInPlace(ReceivingKey& key, kj::ArrayPtr<kj::byte> recordBody);

}  // namespace hearth::crypto

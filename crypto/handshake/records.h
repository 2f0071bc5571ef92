#pragma once
// Records: what travels on a carrier that is a byte stream.
//
//   u8 type | u24 length | body              length = bytes of body, at most the type's limit
//
// An unknown type or a length over the limit closes the carrier. The read functions take a body and
// give views into it; the write functions give a whole record.

#include "core/base/ids.h"
#include "crypto/primitives/bytes.h"
#include "crypto/primitives/hash.h"

namespace hearth::crypto {

enum class RecordType : uint8_t {
  HS_INIT = 0x01,
  HS_RESP = 0x02,
  HS_FINAL = 0x03,
  COOKIE = 0x04,
  ALERT = 0x05,
  PAIR_HELLO = 0x06,
  PAIR_REPLY = 0x07,
  PAKE_A = 0x08,
  PAKE_B = 0x09,
  DATA = 0x10,
  BULK = 0x11,
};

constexpr size_t RECORD_HEADER_BYTES = 4;
constexpr size_t HS_INIT_BYTES_MAX = 2048;
constexpr size_t HS_REPLY_BYTES_MAX = 4096;  // HS_RESP and HS_FINAL
constexpr size_t PAIR_BYTES_MAX = 64;        // PAIR_* and PAKE_*
constexpr size_t DATA_BYTES_MAX = 65539;
constexpr size_t BULK_BYTES_MAX = 1048632;
// The largest body before authentication: a reader needs no more memory than this.
constexpr size_t UNAUTHENTICATED_BYTES_MAX = HS_REPLY_BYTES_MAX;

struct RecordHeader {
  RecordType type;
  uint32_t bodyBytes;
};

// `header` is exactly RECORD_HEADER_BYTES long.
// Errors: BAD_FORMAT for an unknown type, BAD_LENGTH for a length over the type's limit.
Result<RecordHeader> readRecordHeader(Bytes header);

// Requires a body within the type's limit.
Buffer writeRecord(RecordType type, Bytes body);

using Cookie = Mac16;
using CookieNonce = Id<struct CookieNonceTag, 24>;

struct HsInit {
  uint8_t protocol;  // a number of Protocol, not yet checked
  uint8_t suite;     // not yet checked
  uint32_t senderIndex;
  Bytes noise;
  Mac16 mac1;
  Mac16 mac2;       // zero when no cookie is held
  Bytes underMac1;  // the body before mac1
  Bytes underMac2;  // the body before mac2, mac1 included
};

struct HsResp {
  uint32_t senderIndex;
  uint32_t receiverIndex;
  Bytes noise;
};

struct HsFinal {
  uint32_t receiverIndex;
  Bytes noise;
};

struct CookieReply {
  uint32_t receiverIndex;
  CookieNonce nonce;
  Bytes sealed;  // 32 bytes
};

// Sent before authentication only; a hint that may cause back-off, never a change of state.
enum class Alert : uint8_t {
  EPOCH_UNKNOWN = 1,
  BUSY = 2,
  PAIRING_CLOSED = 3,
  PAIRING_LOCKED = 4,
  VERSION = 5,
  UNKNOWN_PEER = 6,
};

// Errors of all: BAD_FORMAT.
Result<HsInit> readHsInit(Bytes body);
Result<HsResp> readHsResp(Bytes body);
Result<HsFinal> readHsFinal(Bytes body);
Result<CookieReply> readCookie(Bytes body);
Result<Alert> readAlert(Bytes body);

Buffer writeHsResp(uint32_t senderIndex, uint32_t receiverIndex, Bytes noise);
Buffer writeHsFinal(uint32_t receiverIndex, Bytes noise);
Buffer writeAlert(Alert alert);

}  // namespace hearth::crypto

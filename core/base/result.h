#pragma once
// Result<T>: the answer to a question whose "no" is part of ordinary work: bytes from a peer that
// do not parse, a seal that does not open, a lease that has run out. What should never happen (a
// bug, a broken disk, a lost connection) stays a kj::Exception.

#include <kj/string.h>

#include <cstdint>
#include <expected>

namespace hearth {

// Stable numbers (SECURITY.md §6.6): they cross links and the C API.
enum class Errc : uint16_t {
  BAD_FORMAT = 1,
  BAD_VERSION = 2,
  BAD_LENGTH = 3,
  BAD_SIGNATURE = 4,
  BAD_MAC = 5,
  DECRYPT_FAILED = 6,
  SMALL_ORDER = 7,
  UNKNOWN_PEER = 8,
  NOT_AUTHORISED = 9,
  REMOVED = 10,
  SUSPENDED = 11,
  EPOCH_UNKNOWN = 12,
  REPLAY = 13,
  ROLLBACK = 14,
  EQUIVOCATION = 15,
  STALE = 16,
  PAIRING_CLOSED = 17,
  PAIRING_LOCKED = 18,
  SAS_MISMATCH = 19,
  COMMIT_MISMATCH = 20,
  BUSY = 21,
  LIMIT_EXCEEDED = 22,
  KEYS_EXPIRED = 23,
  EVIDENCE_REJECTED = 24,
  LEVEL_TOO_LOW = 25,
  POLICY_DENIED = 26,
  MEASUREMENT_MISMATCH = 27,
  SANDBOX_UNAVAILABLE = 28,
  QUOTA_EXCEEDED = 29,
  INTEGRITY_FAILED = 30,
};

// The name as SECURITY.md writes it, "BadFormat" for BAD_FORMAT; "Unknown" for any other number.
kj::StringPtr nameOf(Errc code);

struct Error {
  Errc code;
  kj::StringPtr because;  // a literal; never carries peer-supplied text or key material
};

template <typename T>
using Result = std::expected<T, Error>;

inline auto no(Errc code, kj::StringPtr because) {
  return std::unexpected<Error>(Error{code, because});
}

// Passes an error of one Result on as the error of another.
inline auto no(Error error) { return std::unexpected<Error>(error); }

}  // namespace hearth

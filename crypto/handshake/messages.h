#pragma once
// The byte stream inside MEMBERSHIP and PAIRING frames: messages cut freely over frames.
//
//   u32 length (<= 131072) | u8 kind | body              length = bytes of body

#include "core/base/result.h"
#include "crypto/primitives/bytes.h"

#include <kj/vector.h>

namespace hearth::crypto {

constexpr size_t MESSAGE_BODY_BYTES_MAX = 131072;

struct Message {
  uint8_t kind;
  Buffer body;
};

// Requires body.size() <= MESSAGE_BODY_BYTES_MAX.
Buffer writeMessage(uint8_t kind, Bytes body);

// Puts messages together again. Holds at most one message that is not whole yet.
class MessageReader final {
 public:
  // The messages that `bytes` completes, in order; usually none or one.
  // Errors: BAD_LENGTH for a message over the limit; the stream is of no use after it.
  Result<kj::Vector<Message>> feed(Bytes bytes);

  // Whether a message has begun and is not whole.
  bool isInside() const { return pending.size() > 0; }

 private:
  kj::Vector<kj::byte> pending;
};

}  // namespace hearth::crypto

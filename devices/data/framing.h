#pragma once
// Messages on a stream between devices: the length of each, little-endian, and its bytes.

#include "core/base/result.h"
#include "crypto/primitives/bytes.h"

#include <kj/async-io.h>

namespace hearth::devices {

// None at the stream's end. Throws DISCONNECTED when it ends within a message. Errors: BAD_FORMAT for one of no bytes, or
// of more than `most`. `lengthBytes`: 2 or 4.
kj::Promise<Result<kj::Maybe<crypto::Buffer>>> readFramed(
    kj::AsyncInputStream& stream, size_t most, size_t lengthBytes = 4);

}  // namespace hearth::devices

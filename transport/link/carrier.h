#pragma once
// Records over a byte stream: `u8 type | u24 length | body` (docs/PROTOCOL.md).

#include "crypto/handshake/records.h"

#include <kj/async-io.h>

namespace hearth::transport {

struct Record {
  crypto::RecordType type;
  crypto::Buffer body;
};

class Carrier final {
 public:
  explicit Carrier(kj::Own<kj::AsyncIoStream> stream): stream(kj::mv(stream)) {}

  // The next record. A body over `bodyBytesMax` is refused before memory is taken for it. Throws
  // DISCONNECTED at the end of the stream.
  // Errors: BAD_FORMAT, BAD_LENGTH. Close the carrier without a word.
  kj::Promise<Result<Record>> read(size_t bodyBytesMax);

  // One record, or several behind each other.
  kj::Promise<void> write(crypto::Buffer records);

  kj::AsyncIoStream& raw() { return *stream; }

 private:
  kj::Own<kj::AsyncIoStream> stream;
};

}  // namespace hearth::transport

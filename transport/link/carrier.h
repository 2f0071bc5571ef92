#pragma once
// Records over a byte stream: `u8 type | u24 length | body` (docs/PROTOCOL.md).

#include "crypto/handshake/cookies.h"
#include "transport/link/path.h"

#include <kj/async-io.h>

namespace hearth::transport {

struct Record {
  crypto::RecordType type;
  crypto::Buffer body;
};

class Carrier final {
 public:
  // `path`: how the stream came about, for whoever shows it or looks for a better one.
  explicit Carrier(kj::Own<kj::AsyncIoStream> stream, Path path = Path())
      : stream(kj::mv(stream)),
        way(kj::mv(path)) {}

  // The next record. A body over `bodyBytesMax` is refused before memory is taken for it. Throws
  // DISCONNECTED at the end of the stream.
  // Errors: BAD_FORMAT, BAD_LENGTH. Close the carrier without a word.
  kj::Promise<Result<Record>> read(size_t bodyBytesMax);

  // One record, or several behind each other.
  kj::Promise<void> write(crypto::Buffer records);

  // Where the peer is, or whose member brings it; all zero where the stream has no address of the internet.
  crypto::SourceAddress source();

  kj::AsyncIoStream& raw() { return *stream; }
  const Path& path() const { return way; }

 private:
  kj::Own<kj::AsyncIoStream> stream;
  Path way;
};

}  // namespace hearth::transport

#pragma once
// Records over a byte stream: `u8 type | u24 length | body` (docs/PROTOCOL.md). What has come is read in
// one go, into one buffer, where records are looked at and opened in place.

#include "crypto/handshake/cookies.h"
#include "transport/link/path.h"

#include <kj/async-io.h>

namespace hearth::transport {

struct Record {
  crypto::RecordType type;
  crypto::Buffer body;
};

// A record within the carrier's buffer, valid until the next call of the carrier.
struct RecordView {
  crypto::RecordType type;
  kj::ArrayPtr<kj::byte> body;
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

  // The next record that has come whole, if there is one; and the promise that there is more to look at.
  // Errors and exceptions as above.
  Result<kj::Maybe<RecordView>> next(size_t bodyBytesMax);
  kj::Promise<void> more();

  // One record, or several behind each other; they stay where they are until the promise resolves.
  kj::Promise<void> write(crypto::Bytes records);
  kj::Promise<void> write(crypto::Buffer records);

  // Where the peer is, or whose member brings it; all zero where the stream has no address of the internet.
  crypto::SourceAddress source();
  // The peer has authenticated itself: its records are read as many at once as it sends.
  void readAhead() { readingAhead = true; }

  kj::AsyncIoStream& raw() { return *stream; }
  const Path& path() const { return way; }

 private:
  // Before authentication a caller costs no more than one record; what is read at once grows to the last.
  static constexpr size_t BUFFER_BYTES_LEAST = 4 << 10;
  static constexpr size_t BUFFER_BYTES_AHEAD = 256 << 10;

  kj::Own<kj::AsyncIoStream> stream;
  Path way;
  kj::Array<kj::byte> buffer;
  size_t begin = 0, end = 0;  // of what has been read and not yet been looked at
  size_t wanted = 0;          // bytes of the record at `begin`, when more of it must come
  bool readingAhead = false;

  void makeRoom();
};

}  // namespace hearth::transport

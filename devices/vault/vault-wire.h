#pragma once
// The stream between a member and a VAULT: messages as `u32 length | message`, and what waits to be written.

#include "storage/vault/messages.h"
#include "transport/link/lane-stream.h"

#include <kj/async-io.h>

#include <deque>

namespace hearth::devices {

// One side's part of it, for as long as there is a stream (peer-streams.h).
class VaultSession {
 public:
  virtual ~VaultSession() noexcept(false) = default;

  // Ends with the stream. Errors: of a peer that breaks the rules.
  virtual kj::Promise<Result<void>> run() = 0;
};

class VaultWire final {
 public:
  // Of messages that wait to be written: whoever has more to say waits for room.
  static constexpr size_t WAITING_BYTES = 1 << 20;
  // Whoever does not read while this much waits is hung up on.
  static constexpr size_t WAITING_BYTES_MAX = 32 << 20;

  explicit VaultWire(kj::Own<kj::AsyncIoStream> stream): stream(kj::mv(stream)) {}

  // The next message; none at the end of the stream. Throws DISCONNECTED when it ends within one.
  // Errors: BAD_FORMAT.
  kj::Promise<Result<kj::Maybe<crypto::Buffer>>> read();

  void say(crypto::Buffer message);
  kj::Promise<void> room();
  // No more is read or written; whoever waits for room waits in vain. To be called when neither runs any more.
  void close();
  // Writes what is said. Errors: LIMIT_EXCEEDED for a peer that does not read.
  kj::Promise<Result<void>> speak();

 private:
  kj::Own<kj::AsyncIoStream> stream;
  std::deque<crypto::Buffer> waiting;
  size_t waitingBytes = 0;
  transport::Bell toSay;
  std::deque<kj::Own<kj::PromiseFulfiller<void>>> forRoom;
};

}  // namespace hearth::devices

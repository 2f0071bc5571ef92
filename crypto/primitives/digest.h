#pragma once
// BLAKE2b-256 of bytes that come in pieces: of files, where a bundle's manifest wants the bare hash
// without a label. Allocates nothing and takes no lock, so that a child process may use it between
// fork and exec.

#include "core/base/ids.h"
#include "crypto/primitives/bytes.h"

namespace hearth::crypto {

class Digester final {
 public:
  Digester();

  Digester& update(Bytes bytes);

  // Ends the hash; the digester begins anew.
  Digest finish();

 private:
  static constexpr size_t STATE_BYTES = 384;

  alignas(64) kj::byte state[STATE_BYTES];
};

Digest digestOf(Bytes bytes);

}  // namespace hearth::crypto

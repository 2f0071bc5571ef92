#pragma once
// A sealed file that comes from a VAULT to a file of this device, piece by piece, and goes on at the byte where it
// stopped when the VAULT is there again.

#include "crypto/primitives/blake3.h"
#include "devices/data/blob-store.h"
#include "devices/data/bulk-gate.h"
#include "devices/vault/vault-client.h"
#include "storage/tables/vault-shelves.h"

#include <kj/timer.h>

namespace hearth::devices {

class VaultDownload final {
 public:
  static constexpr size_t AHEAD_MAX = 4;  // pieces that are asked for at once
  // The next one. A VAULT may be gone without a word, and nothing else that is sent to it would show that.
  static constexpr kj::Duration PIECE_WITHIN = 30 * kj::SECONDS;

  using Copy = storage::vault_shelves::Copy;

  // All outlive this object.
  struct Surroundings {
    kj::Timer& timer;
    const kj::Clock& clock;
    BlobDisk& disk;
    BulkGate& gate;
  };
  // `scratch`: what the file is called; empty: it is in memory.
  static kj::Promise<kj::Own<VaultDownload>> begin(
      Surroundings around, Copy copy, std::string scratch);
  VaultDownload(kj::Badge<VaultDownload>, Surroundings around, Copy copy, std::string scratch,
      kj::Own<const kj::File> file);

  enum class Outcome : uint8_t {
    WHOLE,
    LACKS,    // the VAULT says that it has no such file
    CUT,      // it gave less than it took
    CHANGED,  // what it gave is not what it took
  };
  // Throws DISCONNECTED when the stream ends, OVERLOADED when nothing comes; what has come stays, and it may be called
  // again, with another stream.
  kj::Promise<Outcome> run(std::shared_ptr<VaultClient> client);

  const Copy& of() const { return copy; }
  const std::string& scratch() const { return name; }
  // Once it is whole.
  kj::Own<const kj::File> take() { return kj::mv(into); }

 private:
  Surroundings around;
  Copy copy;
  std::string name;
  kj::Own<const kj::File> into;  // used on the disk's executor
  crypto::Blake3 hash;
  uint64_t arrived = 0;
};

}  // namespace hearth::devices

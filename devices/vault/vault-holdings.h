#pragma once
// What this device holds as a VAULT: sealed files of other devices, none of which it can read. Small ones are rows of its
// database, others files in `vault` below its home. What is said to be here is on disk; nothing goes unless its writer
// takes it away.

#include "core/entropy/entropy.h"
#include "core/loop/executor.h"
#include "crypto/primitives/blake3.h"
#include "storage/sql/store.h"
#include "storage/tables/vault-shelves.h"

#include <map>

namespace hearth::devices {

class VaultHoldings final {
 public:
  // A sealed blob of one chunk with its padding fits.
  static constexpr uint64_t ROW_BYTES_MAX = 80 << 10;
  static constexpr size_t CLAIMS_MAX = 65'536;
  static constexpr uint64_t ROOM_BYTES = uint64_t{1} << 40;  // for all, unless it is set otherwise

  using ShelfName = storage::VaultShelfName;
  using Name = storage::BlobName;

  // All outlive this object.
  struct Surroundings {
    storage::Store& store;
    Executor& files;
    const kj::Directory& home;
    Entropy& entropy;
  };
  explicit VaultHoldings(Surroundings around): around(around) {}

  // Removes what nobody knows any more. `mayHaveForgotten`: this device was put back to an older copy of its database,
  // and its files may be the only copies. To be awaited before anything else is asked.
  kj::Promise<void> start(bool mayHaveForgotten);

  // A file that is coming. Dropped before it is kept, nothing of it is left.
  class Coming final {
   public:
    ~Coming() noexcept(false);
    KJ_DISALLOW_COPY_AND_MOVE(Coming);

    uint64_t missing() const { return bytes - arrived; }
    // Requires that there is no more than is missing. One at a time.
    kj::Promise<void> add(crypto::Buffer more);
    // It is on disk, in place of what had its name. Requires that nothing is missing.
    kj::Promise<void> keep();

    Coming(kj::Badge<VaultHoldings>, VaultHoldings& holdings, const ShelfName& shelf,
        const Name& name, uint64_t bytes);

   private:
    VaultHoldings& holdings;
    ShelfName shelf;
    Name name;
    uint64_t bytes, arrived = 0;
    crypto::Blake3 hash;
    crypto::Buffer small;
    std::string fileName;          // of a large one
    kj::Own<const kj::File> file;  // used on the executor
    bool isKept = false;
  };
  // Errors: QUOTA_EXCEEDED.
  kj::Promise<Result<kj::Own<Coming>>> begin(ShelfName shelf, Name name, uint64_t bytes);

  // Those that are there are gone from the disk, and cannot be read any more by whoever had a key.
  kj::Promise<void> drop(ShelfName shelf, std::vector<Name> names);

  // None where it is not here, or ends before; as much as there is.
  kj::Promise<kj::Maybe<crypto::Buffer>> read(
      ShelfName shelf, Name name, uint64_t offset, size_t most);

  // Whoever asks first for what is nobody's is taken to be about to put it: it is another's for everybody else, until
  // that one's stream ends.
  kj::Promise<std::vector<storage::vault::Whose>> whose(
      crypto::CollectionId collection, DeviceId writer, std::vector<Name> names);
  kj::Promise<storage::vault_shelves::Rooted> root(ShelfName shelf);
  kj::Promise<std::vector<storage::VaultItem>> list(ShelfName shelf, Name after, size_t most);
  kj::Promise<storage::vault_shelves::Usage> usage();

  void streamEnded(const DeviceId& writer) {
    std::erase_if(claims, [&](auto& claim) { return claim.second == writer; });
  }

  void setRoom(uint64_t bytes) { roomBytes = bytes; }

 private:
  Surroundings around;
  uint64_t roomBytes = ROOM_BYTES, comingBytes = 0;
  std::map<std::pair<crypto::CollectionId, Name>, DeviceId> claims;
  kj::Maybe<kj::Own<const kj::Directory>> opened;  // used on the executor

  const kj::Directory& directory();
  kj::Promise<void> shred(std::vector<std::string> fileNames);
};

}  // namespace hearth::devices

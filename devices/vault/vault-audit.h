#pragma once
// Whether a VAULT has what it took: for each shelf the Merkle root that it computes, beside the one that the shelf's
// writer has signed last. Where they differ, the items themselves are compared.

#include "devices/vault/vault-client.h"
#include "devices/vault/vault-faults.h"
#include "devices/vault/vault-log.h"

#include <kj/timer.h>

#include <memory>

namespace hearth::devices {

class VaultAudit final {
 public:
  static constexpr kj::Duration EVERY = 1 * kj::HOURS;
  // What differs may be news that are on their way, on the VAULT or in the log: it is looked at once more.
  static constexpr kj::Duration NEWS_WITHIN = 30 * kj::SECONDS;

  // Files on a shelf that its writer has not spoken of yet; a VAULT that names more lists without end.
  static constexpr uint64_t UNSAID_MAX = 65'536;

  // All outlive this object.
  struct Surroundings {
    kj::Timer& timer;
    storage::Store& store;
    VaultLog& log;
    VaultFaults& faults;
    DeviceId self;
  };
  VaultAudit(Surroundings around, const DeviceId& vault, std::shared_ptr<VaultClient> client)
      : around(around),
        vault(vault),
        client(kj::mv(client)) {}

  // At once, and now and then until the stream ends.
  kj::Promise<void> run();

 private:
  using Shelf = storage::vault_shelves::Shelf;
  struct Suspect {
    storage::ContentId content;
    storage::BlobName name;
    Errc code;

    auto operator<=>(const Suspect&) const = default;
  };

  Surroundings around;
  DeviceId vault;
  std::shared_ptr<VaultClient> client;

  kj::Promise<void> look(Shelf shelf);
  kj::Promise<std::set<Suspect>> suspects(Shelf shelf);
  static std::set<Suspect> missingIn(const std::vector<storage::VaultItem>& held,
      const std::vector<storage::ShelfChange::Put>& listed);
  kj::Promise<void> putAgain(Shelf shelf, std::set<Suspect> lost);
};

}  // namespace hearth::devices

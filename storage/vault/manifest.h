#pragma once
// What a device has put on a VAULT, and taken away there, as it says so in the operation log: an entry of the collection
// H("hearth/collection/v1", "vaults"), topic "shelf", kind 1. All that its writer has on that VAULT of that collection
// follows from its entries, and each says the Merkle root of it.
//
//   u8 1 | b[32] vault | b[16] collection | u64 items | b[32] root
//   | list16<b[32] content id | b[32] name | u64 bytes | b[32] hash> put | list16<b[32] name> dropped

#include "storage/vault/item.h"

namespace hearth::storage {

struct ShelfChange {
  static constexpr size_t CHANGES_MAX = 1'024;  // of each kind
  static constexpr uint8_t ENTRY_KIND = 1;
  static constexpr kj::StringPtr TOPIC = "shelf"_kj;

  struct Put {
    ContentId content;
    VaultItem item;

    bool operator==(const Put&) const = default;
  };

  DeviceId vault;
  crypto::CollectionId collection;
  uint64_t items = 0;  // that are there from now on
  Digest root;         // of these
  std::vector<Put> put;
  std::vector<BlobName> dropped;

  crypto::Buffer encode() const;
  // Errors: BAD_FORMAT; BAD_VERSION.
  static Result<ShelfChange> parse(crypto::Bytes bytes);
  bool operator==(const ShelfChange&) const = default;
};

// Of the log: where all of that is said.
crypto::CollectionId vaultsCollection();

}  // namespace hearth::storage

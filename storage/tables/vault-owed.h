#pragma once
// Blobs that are here and not on a VAULT yet, and what was put there and is of no use any more.

#include "storage/tables/vault-shelves.h"

namespace hearth::storage::vault_owed {

struct Owed {
  crypto::CollectionId collection;
  BlobRef ref;
};

// In order of their content ids, behind `after`; none that is empty.
std::vector<Owed> blobs(Database& db, const DeviceId& vault, const ContentId& after, size_t most);
// Of the owner's files in folders.
std::vector<Owed> files(Database& db, const DeviceId& vault, const ContentId& after, size_t most);

// Of a writer's shelf for a folder that this device has: what neither lies there nor is any version of one of its paths.
// None as long as something is to come there.
std::vector<BlobName> useless(Database& db, const vault_shelves::Shelf& shelf, size_t most);

// Whether it could be put there again.
bool isHere(Database& db, const ContentId& content);

}  // namespace hearth::storage::vault_owed

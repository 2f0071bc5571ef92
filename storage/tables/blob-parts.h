#pragma once
// Where the parts of a blob are, by the nodes that are here of it.

#include "storage/tables/blobs.h"

#include <map>

namespace hearth::storage::blobs {

// For one piece of work on the database: nodes that it has come by are not read again.
class TreeWalk final {
 public:
  struct Found {
    Child part;
    crypto::Buffer node;  // encoded, where the part is one
  };

  explicit TreeWalk(Database& db): db(db) {}

  // The part of that level that begins there. None: there is no such part, or a node on the way is not here.
  kj::Maybe<Found> find(const BlobRef& ref, uint8_t level, uint64_t offset);

 private:
  Database& db;
  std::map<Digest, BlobNode> nodes;

  const BlobNode* nodeOf(const Expected& expected);
};

}  // namespace hearth::storage::blobs

#pragma once
// The operation log on disk: every entry in its envelope, with what is looked for by, and how far each author
// has come in each collection. That is kept twice: as it is now, and as a hash chain of what was added, so that
// entries cut off an end are missed.
//
//   row of head_history = b[16] collection | b[32] author | u64 entries | b[32] hash of the newest

#include "storage/log/entry.h"
#include "storage/sql/database.h"
#include "storage/sync/item-set.h"

#include <map>
#include <string>
#include <vector>

namespace hearth::storage::entries {

// How far an author has come in a collection.
struct Head {
  uint64_t entries = 0;
  Digest hash;  // of the newest

  bool operator==(const Head&) const = default;
};
using HeadKey = std::pair<crypto::CollectionId, DeviceId>;
using Heads = std::map<HeadKey, Head>;

// Rows of head_history that are kept; then the heads are written anew and the rows before them forgotten.
constexpr size_t HISTORY_MAX = 4'096;

// What is looked for by. An entry that cannot be read here has kind 0.
struct Label {
  uint8_t kind = 0;
  uint64_t target = 0;  // seq of the author's entry that this one is about
  std::string topic;
};

// In a transaction. Gives its place among all entries, in the order in which this device took them.
// Errors: STALE when it is not the next one of its author.
Result<int64_t> append(Database& db, const Entry& entry, const Label& label);
// One that was missing before the author's newest.
int64_t restore(Database& db, const Entry& entry, const Label& label);
// What an entry turns out to be, once it can be read. What was written down whole without it is forgotten.
void relabel(Database& db, const EntryHead& head, const Digest& hash, const Label& label);

// Errors: INTEGRITY_FAILED when what is there now is not what was added.
Result<Heads> heads(Database& db);

// What is there of a collection, in order of its names.
struct Row {
  ItemName name;
  DeviceId author;
  uint64_t seq;
};
std::vector<crypto::CollectionId> collections(Database& db);
std::vector<Row> all(Database& db, const crypto::CollectionId& collection);

// Of those names that are there, in their order; as many as fit `bytesMost`, at least one.
std::vector<crypto::Buffer> envelopes(Database& db, const crypto::CollectionId& collection,
    kj::ArrayPtr<const ItemName> names, size_t bytesMost);

// The entries of a topic, oldest of this device's learning first, with their place; from `after` on.
struct Placed {
  int64_t place;
  crypto::Buffer envelope;
};
std::vector<Placed> ofTopic(Database& db, const crypto::CollectionId& collection,
    kj::StringPtr topic, int64_t after, size_t bytesMost);
// Those that could not be read when they came, from `after` on.
std::vector<Placed> unread(Database& db, int64_t after, size_t bytesMost);

std::vector<std::string> topics(Database& db, const crypto::CollectionId& collection);

// What an author has written to a topic, oldest first.
struct Written {
  uint64_t seq;
  uint8_t kind;
  uint64_t target;
};
std::vector<Written> writtenBy(Database& db, const crypto::CollectionId& collection,
    kj::StringPtr topic, const DeviceId& author);
kj::Maybe<crypto::Buffer> find(Database& db, const crypto::CollectionId& collection,
    kj::StringPtr topic, const DeviceId& author, uint64_t seq);
// The first number that none of the author's entries about the topic has, nor a later one.
uint64_t following(Database& db, const crypto::CollectionId& collection, kj::StringPtr topic,
    const DeviceId& author);

}  // namespace hearth::storage::entries

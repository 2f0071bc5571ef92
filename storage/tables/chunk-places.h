#pragma once
// Which bytes are where: a chunk may lie in a blob's own file or in a file of the owner's, at an offset. What is
// here already need not be sent, and what is in the owner's files need not be stored again. A place is a hint:
// files change without asking, and whoever reads there checks the hash.

#include "storage/blob/cutter.h"
#include "storage/sql/database.h"

#include <vector>

namespace hearth::storage::chunk_places {

struct Source {
  enum class Kind : uint8_t { BLOB = 1, OWNERS = 2 };
  Kind kind = Kind::BLOB;
  crypto::Buffer name;   // content id, or a path as its folder means it
  crypto::Buffer stamp;  // by which it is seen that the file is another one now; empty for a blob
};

struct Place {
  Source source;
  int64_t sourceNumber;
  uint64_t offset;
};

// All inside a transaction, where they change something.

// In place of the source of that name, whose places are forgotten with it.
int64_t addSource(Database& db, const Source& source);
void dropSource(Database& db, Source::Kind kind, crypto::Bytes name);
kj::Maybe<int64_t> sourceOf(Database& db, Source::Kind kind, crypto::Bytes name);

// Eight bytes of a hash, by which the table is ordered: a row is a third of what it would be. Chunks that share them are
// told apart when they are read.
int64_t shortOf(const Digest& hash);

void add(Database& db, int64_t source, const Cut& cut);
// Where it turned out not to be.
void drop(Database& db, int64_t source, uint64_t offset, const Digest& chunk);

std::vector<Place> find(Database& db, const Child& chunk, size_t most);

// Places whose source is gone are passed over by find(), and forgotten when the table is walked: an index by source
// would be a third of its size. Some of a walk, about so many rows; a walk begins when a source has gone since the last
// one did, and goes on after a restart. Whether there is more of it.
bool sweep(Database& db, size_t rows);

}  // namespace hearth::storage::chunk_places

#pragma once
// What this device knows of blobs: their references, where their bytes are, who needs them, and which it may let
// go. Small ones are rows themselves, many of them in one commit; others are files of their own (blob-files.h) or
// the owner's files in a folder, which are never copied.

#include "storage/blob/sealed-file.h"
#include "storage/sql/database.h"

#include <string>
#include <vector>

namespace hearth::storage::blobs {

// A blob of one chunk is kept as a row, one with a tree as a file (docs/adr/0092).
constexpr size_t ROW_BYTES_MAX = CHUNK_BYTES_MAX;

enum class Home : uint8_t {
  NOWHERE = 0,  // only known
  ROW = 1,
  FILE = 2,    // sealed, of its own
  OWNERS = 3,  // in a folder
};

struct Blob {
  crypto::CollectionId collection;
  EpochId epoch;  // whose keys seal its file
  BlobRef ref;
  Home home = Home::NOWHERE;
  std::string fileName;     // of a FILE, or of what has been received of it
  uint64_t references = 0;  // of documents and folders
  bool pinned = false;      // shall stay, whatever the room
  uint32_t elsewhere = 0;   // other devices that are known to have all of it
  int64_t usedMs = 0;

  bool operator==(const Blob&) const = default;
};

// All inside a transaction, where they change something.

// New, or in place of what was known of it.
void put(Database& db, const Blob& blob);
kj::Maybe<Blob> find(Database& db, const ContentId& content);

// Each requires that the blob is known.
void refer(Database& db, const ContentId& content, int64_t more);  // fewer, where negative
void pin(Database& db, const ContentId& content, bool pinned);
void use(Database& db, const ContentId& content, int64_t nowMs);
void setElsewhere(Database& db, const ContentId& content, uint32_t devices);

// The bytes go into the row; `blob.home` becomes ROW. Requires that it is of one chunk.
void putSmall(Database& db, Blob blob, crypto::Bytes bytes);
// Errors: INTEGRITY_FAILED when they are not there or are not those of its reference.
BlobResult<crypto::Buffer> getSmall(Database& db, const Blob& blob);

// Its bytes are gone from here, with the nodes that no other blob has: the row is rewritten before its file is
// shredded, so that nothing points at a file that is half gone. Whoever finds a file afterwards that no row names
// shreds it (strays).
void letGo(Database& db, const ContentId& content);
// Nothing is known of it any more. Requires that nothing refers to it.
void forget(Database& db, const ContentId& content);
std::vector<std::string> strays(Database& db, kj::ArrayPtr<const kj::String> fileNames);

// Nodes

void putNode(Database& db, const ContentId& content, const Digest& hash, crypto::Bytes encoded);
kj::Maybe<crypto::Buffer> node(Database& db, const Digest& hash);

// Room

struct Usage {
  uint64_t bytes = 0;      // of rows and own files
  uint64_t evictable = 0;  // of those
};
Usage usage(Database& db);
// What may be let go: neither pinned nor the owner's own file, and elsewhere too. Least recently used first, until
// it comes to so many bytes.
std::vector<ContentId> evictable(Database& db, uint64_t bytes);
// What nothing refers to and nobody has pinned.
std::vector<ContentId> unreferenced(Database& db, size_t most);

}  // namespace hearth::storage::blobs

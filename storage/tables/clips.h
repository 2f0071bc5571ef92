#pragma once
// What the clipboard of this device holds, and what of each author it has held: an entry that is gone from here is
// not taken again. Bytes that are dropped are overwritten (secure_delete), and have left the write-ahead log as well
// after the next checkpoint.

#include "storage/sql/database.h"

#include <compare>
#include <string>
#include <vector>

namespace hearth::storage {

struct ClipName {
  uint64_t stamp = 0;  // by its author's hybrid logical clock
  DeviceId author;

  std::strong_ordering operator<=>(const ClipName&) const = default;
  bool operator==(const ClipName&) const = default;
};

struct ClipRow {
  ClipName name;
  uint64_t place = 0;       // among the others, here: a stamp; the greatest is the newest
  uint64_t lifetimeMs = 0;  // as its author has signed it; 0: it has none
  uint64_t leftMs = 0;      // of its lifetime, when this device's wall clock said
  int64_t atMs = 0;         // this, of Unix time
  std::string mime, preview;
  uint64_t bytes = 0;
  bool isSecret = false;

  bool operator==(const ClipRow&) const = default;
};

// How far the clipboard has come with an author.
struct ClipAuthor {
  DeviceId author;
  uint64_t newest = 0;   // stamp of the newest entry that has been here
  uint64_t cleared = 0;  // up to this one somebody has cleared them away, everywhere

  bool operator==(const ClipAuthor&) const = default;
};

namespace clips {

std::vector<ClipRow> all(Database& db);
std::vector<ClipAuthor> authors(Database& db);

// A new entry: its author has come as far. `envelope`: the whole of it, signed.
void put(Database& db, const ClipRow& row, crypto::Bytes envelope);
// How much of its lifetime is left now.
void update(Database& db, const ClipName& name, uint64_t leftMs, int64_t atMs);
kj::Maybe<crypto::Buffer> envelope(Database& db, const ClipName& name);
// It is gone, if it was there.
void drop(Database& db, const ClipName& name);
// All of the author's up to the stamp are gone, and are to be everywhere.
void clear(Database& db, const DeviceId& author, uint64_t upto);

}  // namespace clips
}  // namespace hearth::storage

#pragma once
// The full-text index of this device: what can be found, and by which words. It lies in the database, so that its pages
// are as closed as all others, and holds the words of a text without the text (FTS5, contentless): that stays where it is,
// and only what has no other place that can be read is kept here, packed.
//
//   search_items  what can be found; its number is a serial << 2 | kind: what was indexed last has the greatest
//   search_words  their words, by number; those of titles and places once more in search_titles
//   search_texts  texts that are kept

#include "crypto/identity/circle-keys.h"
#include "storage/search/query.h"
#include "storage/sql/database.h"

#include <optional>

namespace hearth::storage::search {

enum class Kind : uint8_t {
  DOCUMENT = 1,
  FILE = 2,
  EXTRACTED = 3
};  // the last: what a plugin has read in a file

// What an item is known by.
struct Name {
  static constexpr size_t KEY_BYTES_MAX = 4'096;

  Kind kind = Kind::DOCUMENT;
  crypto::CollectionId collection;
  std::string key;  // in its collection, UTF-8

  auto operator<=>(const Name&) const = default;
};

struct Item {
  static constexpr size_t TEXT_BYTES_MAX = 1 << 20;  // what is behind them is not found

  Name name;
  std::string title,
      place;  // place: directories that it is in, say; weighs less than the title, and more than text
  std::string text;
  bool keepsText = false;  // for snippets: it is nowhere else
  std::string
      stamp;  // of what the text was read from, for whoever wants to know whether it still is that
};

// All inside a transaction, where they change something.

// In place of what there was under its name.
void put(Database& db, const Item& item);
// With its vectors. False: there was no such item.
bool remove(Database& db, const Name& name);
// Of a collection that is not here any more: as many as `most` at a time. Gives how many there were.
size_t removeSome(Database& db, const crypto::CollectionId& collection, size_t most);

kj::Maybe<std::string> stampOf(Database& db, const Name& name);
kj::Maybe<std::string> keptTextOf(Database& db, const Name& name);
uint64_t size(Database& db);

struct Found {
  Name name;
  std::string title, place;
  int64_t score = 0;                // greater is better
  std::optional<std::string> text;  // if it is kept
};

struct Findings {
  std::vector<Found> best;  // the best first
  uint64_t matches = 0;     // that there are
  bool areMore = false;     // and some more
};

constexpr size_t FOUND_MAX = 1'000;
// A word that is in more items than these tells little: the newest of them are compared, and those that have it in
// their title or place.
constexpr size_t COMPARED_MAX = 500;

// At most `most` <= FOUND_MAX items, with the texts that are kept; of one kind or of all.
Findings find(Database& db, const Query& query, std::optional<Kind> kind, size_t most);

}  // namespace hearth::storage::search

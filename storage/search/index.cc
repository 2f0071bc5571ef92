#include "storage/search/index.h"

#include "storage/crdt/packed.h"
#include "storage/search/vectors.h"
#include "storage/tables/search-state.h"

#include <kj/debug.h>

#include <algorithm>
#include <map>

namespace hearth::storage::search {

namespace {

constexpr int PACKING_LEVEL = 3;
constexpr int KIND_BITS = 2;

kj::StringPtr viewOf(const std::string& text) { return {text.c_str(), text.size()}; }
crypto::Bytes bytesOf(const std::string& text) {
  return kj::arrayPtr(text.data(), text.size()).asBytes();
}
std::string stringOf(crypto::Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

int64_t numberOf(Database& db, const Name& name) {
  auto select =
      db.query("SELECT i FROM search_items WHERE collection = ?1 AND key = ?2 AND kind = ?3",
          name.collection.asBytes(), viewOf(name.key), static_cast<int>(name.kind));
  return select.step() ? select.number(0) : 0;
}

void forget(Database& db, int64_t number) {
  db.run("DELETE FROM search_words WHERE rowid = ?1", number);
  db.run("DELETE FROM search_titles WHERE rowid = ?1", number);
  db.run("DELETE FROM search_texts WHERE item = ?1", number);
  db.run("DELETE FROM search_items WHERE i = ?1", number);
}

// At a character's beginning.
std::string_view cutTo(std::string_view text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<uint8_t>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

std::optional<std::string> keptText(Database& db, int64_t number) {
  auto select = db.query("SELECT text FROM search_texts WHERE item = ?1", number);
  if (!select.step()) return std::nullopt;
  auto bytes = select.blob(0).asChars();
  // Rows are authenticated: it is as it was put.
  return unpacked({bytes.begin(), bytes.size()}, Item::TEXT_BYTES_MAX).value();
}

struct Scored {
  int64_t number, score;
};

struct Table {
  kj::StringPtr name, weights;
};
// A title that has the words is worth a long text that has them now and then.
constexpr Table WORDS{"search_words"_kj, "10.0, 3.0, 1.0"_kj};
constexpr Table TITLES{"search_titles"_kj, "10.0, 3.0"_kj};

// Gives how many there were to compare.
uint64_t matching(Database& db, const Table& table, kj::StringPtr match, int kind, size_t most,
    std::map<int64_t, int64_t>& scores) {
  uint64_t count = 0;
  auto select = db.query(
      kj::str("SELECT i, score, count(*) OVER () FROM (SELECT rowid AS i, hearth_rank(", table.name,
          ", ", table.weights, ") AS score FROM ", table.name, " WHERE ", table.name,
          " MATCH ?1 AND (?2 = 0 OR (rowid & 3) = ?2) ORDER BY rowid DESC LIMIT ?3)"
          " ORDER BY score DESC, i DESC LIMIT ?4"),
      match, kind, COMPARED_MAX, most);
  while (select.step()) {
    auto [known, isNew] = scores.emplace(select.number(0), select.number(1));
    if (!isNew) known->second = std::max(known->second, select.number(1));
    count = static_cast<uint64_t>(select.number(2));
  }
  return count;
}

Found foundAt(Database& db, const Scored& scored) {
  auto select = db.query(
      "SELECT kind, collection, key, title, place FROM search_items WHERE i = ?1", scored.number);
  KJ_REQUIRE(select.step(), "words of an item that is not there");
  return {{static_cast<Kind>(select.number(0)), crypto::CollectionId::from(select.blob(1)).value(),
              stringOf(select.blob(2))},
      stringOf(select.blob(3)), stringOf(select.blob(4)), scored.score,
      keptText(db, scored.number)};
}

}  // namespace

void put(Database& db, const Item& item) {
  KJ_REQUIRE(item.name.key.size() <= Name::KEY_BYTES_MAX);
  if (auto before = numberOf(db, item.name); before != 0) forget(db, before);
  auto number = search_state::nextSerial(db) << KIND_BITS | static_cast<int64_t>(item.name.kind);
  auto text = std::string(cutTo(item.text, Item::TEXT_BYTES_MAX));
  db.run("INSERT INTO search_items VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", number,
      item.name.collection.asBytes(), viewOf(item.name.key), static_cast<int>(item.name.kind),
      viewOf(item.title), viewOf(item.place), bytesOf(item.stamp));
  db.run("INSERT INTO search_words (rowid, title, place, text) VALUES (?1, ?2, ?3, ?4)", number,
      viewOf(item.title), viewOf(item.place), viewOf(text));
  db.run("INSERT INTO search_titles (rowid, title, place) VALUES (?1, ?2, ?3)", number,
      viewOf(item.title), viewOf(item.place));
  if (item.keepsText)
    db.run(
        "INSERT INTO search_texts VALUES (?1, ?2)", number, bytesOf(packed(text, PACKING_LEVEL)));
}

bool remove(Database& db, const Name& name) {
  vectors::remove(db, name);
  auto number = numberOf(db, name);
  if (number == 0) return false;
  forget(db, number);
  return true;
}

size_t removeSome(Database& db, const crypto::CollectionId& collection, size_t most) {
  std::vector<int64_t> numbers;
  {
    auto select = db.query(
        "SELECT i FROM search_items WHERE collection = ?1 LIMIT ?2", collection.asBytes(), most);
    while (select.step()) numbers.push_back(select.number(0));
  }
  for (auto number: numbers) forget(db, number);
  if (numbers.size() < most) vectors::removeAll(db, collection);
  return numbers.size();
}

kj::Maybe<std::string> stampOf(Database& db, const Name& name) {
  auto select =
      db.query("SELECT stamp FROM search_items WHERE collection = ?1 AND key = ?2 AND kind = ?3",
          name.collection.asBytes(), viewOf(name.key), static_cast<int>(name.kind));
  if (!select.step()) return nullptr;
  return stringOf(select.blob(0));
}

kj::Maybe<std::string> keptTextOf(Database& db, const Name& name) {
  auto number = numberOf(db, name);
  if (number == 0) return nullptr;
  auto text = keptText(db, number);
  if (!text) return nullptr;
  return std::move(*text);
}

uint64_t size(Database& db) {
  auto select = db.query("SELECT count(*) FROM search_items");
  select.step();
  return static_cast<uint64_t>(select.number(0));
}

Findings find(Database& db, const Query& query, std::optional<Kind> kind, size_t most) {
  KJ_REQUIRE(most <= FOUND_MAX);
  Findings findings;
  if (query.isEmpty()) return findings;
  std::map<int64_t, int64_t> scores;
  auto only = kind ? static_cast<int>(*kind) : 0;
  auto match = matchOf(query);
  findings.matches = matching(db, WORDS, match, only, most, scores);
  findings.areMore = findings.matches >= COMPARED_MAX;
  if (findings.areMore) matching(db, TITLES, match, only, most, scores);
  std::vector<Scored> order;
  for (auto& [number, score]: scores) order.push_back({number, score});
  std::ranges::sort(order, [](auto& a, auto& b) {
    return a.score != b.score ? a.score > b.score : a.number > b.number;
  });
  if (order.size() > most) order.resize(most);
  for (auto& scored: order) findings.best.push_back(foundAt(db, scored));
  return findings;
}

}  // namespace hearth::storage::search

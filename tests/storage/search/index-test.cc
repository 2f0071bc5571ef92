#include "storage/search/index.h"
#include "storage/search/vectors.h"
#include "tests/storage/home.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::storage::search {
namespace {

crypto::CollectionId collection(kj::byte fill = 7) {
  crypto::CollectionId id;
  memset(id.bytes, fill, sizeof(id.bytes));
  return id;
}

Name document(std::string key) { return {Kind::DOCUMENT, collection(), kj::mv(key)}; }

struct Index {
  Home home;
  Words words;
  kj::Own<Database> db = home.open();

  void put(const Item& item) {
    Transaction all(*db);
    search::put(*db, item);
    all.commit();
  }
  void put(std::string key, std::string text) {
    put({document(key), key, "", kj::mv(text), true, ""});
  }
  Findings find(std::string_view typed, std::optional<Kind> kind = {}, size_t most = 100) {
    return search::find(*db, parseQuery(typed, words), kind, most);
  }
  std::vector<std::string> keys(std::string_view typed, std::optional<Kind> kind = {}) {
    std::vector<std::string> keys;
    for (auto& found: find(typed, kind).best) keys.push_back(found.name.key);
    return keys;
  }
};

using Keys = std::vector<std::string>;

TEST_CASE("an item is found by its words, with the text that is kept") {
  Index index;
  index.put("notes", "Ring the dentist");
  index.put("list", "milk and bread");
  REQUIRE(index.keys("DENTIST") == Keys{"notes"});
  REQUIRE(index.find("dentist").best[0].text == "Ring the dentist");
  REQUIRE(index.keys("notes") == Keys{"notes"});
  REQUIRE(index.keys("dentist milk").empty());
  REQUIRE(index.keys("nothing").empty());
  REQUIRE(index.find("").best.empty());
}

TEST_CASE("the words of items that are put together are written down together") {
  Index index;
  Transaction all(*index.db);
  for (int i = 0; i < 50; ++i) {
    auto key = "note " + std::to_string(i);
    search::put(*index.db, {document(key), key, "", "some words", true, ""});
  }
  all.commit();
  auto segments = index.db->query("SELECT count(DISTINCT segid) FROM search_words_idx");
  REQUIRE(segments.step());
  REQUIRE(segments.number(0) == 1);
}

TEST_CASE("diacritics are left out on both sides") {
  Index index;
  index.put("menu", "Crème brûlée");
  REQUIRE(index.keys("creme") == Keys{"menu"});
  REQUIRE(index.keys("BRÛLÉE") == Keys{"menu"});
}

TEST_CASE("a part of what is written without spaces is found") {
  Index index;
  index.put("trip", "来週は東京タワーに行く");
  REQUIRE(index.keys("東京") == Keys{"trip"});
  REQUIRE(index.keys("京東").empty());
}

TEST_CASE("phrases, beginnings and what must not be there count") {
  Index index;
  index.put("a", "new york in spring");
  index.put("b", "york is new to me");
  REQUIRE(index.keys("\"new york\"") == Keys{"a"});
  REQUIRE(index.keys("spr*") == Keys{"a"});
  REQUIRE(index.keys("new -spring") == Keys{"b"});
  REQUIRE(index.keys("-spring").empty());
}

TEST_CASE(
    "a word in the title weighs more than one in the text, and one in the place lies between") {
  Index index;
  auto item = [&](std::string key, std::string title, std::string place, std::string text) {
    index.put({{Kind::FILE, collection(), kj::mv(key)}, title, place, text, false, ""});
  };
  item("text", "other", "elsewhere", "budget and more words here");
  item("place", "other", "budget", "words here and there");
  item("title", "budget", "elsewhere", "words here and there");
  REQUIRE(index.keys("budget") == Keys{"title", "place", "text"});
}

TEST_CASE("the rarer word decides, and the shorter text") {
  Index index;
  for (int i = 0; i < 20; ++i) index.put("common" + std::to_string(i), "milk everywhere");
  index.put("short", "dentist milk");
  index.put("long", "dentist milk and so many other words that it is about something else");
  auto keys = index.keys("dentist milk");
  REQUIRE(keys == Keys{"short", "long"});
}

TEST_CASE("an item that is put again is found by what it is now alone") {
  Index index;
  index.put("notes", "milk");
  index.put("notes", "bread");
  REQUIRE(index.keys("milk").empty());
  REQUIRE(index.keys("bread") == Keys{"notes"});
  REQUIRE(size(*index.db) == 1);
}

TEST_CASE("an item that is removed is not found, nor its text or vectors") {
  Index index;
  index.put("notes", "milk");
  float vector[] = {1, 0};
  REQUIRE(vectors::put(*index.db, {document("notes")}, "m", vector));
  REQUIRE(remove(*index.db, document("notes")));
  REQUIRE(!remove(*index.db, document("notes")));
  REQUIRE(index.keys("milk").empty());
  REQUIRE(keptTextOf(*index.db, document("notes")) == nullptr);
  REQUIRE(vectors::find(*index.db, {document("notes")}, "m") == nullptr);
}

TEST_CASE("a collection goes piece by piece and leaves the others") {
  Index index;
  for (int i = 0; i < 5; ++i)
    index.put({{Kind::FILE, collection(1), std::to_string(i)}, "x", "", "milk", false, ""});
  index.put("notes", "milk");
  REQUIRE(removeSome(*index.db, collection(1), 3) == 3);
  REQUIRE(removeSome(*index.db, collection(1), 3) == 2);
  REQUIRE(index.keys("milk") == Keys{"notes"});
}

TEST_CASE("one kind is found alone") {
  Index index;
  index.put("notes", "milk");
  index.put({{Kind::FILE, collection(1), "a.txt"}, "a.txt", "", "milk", false, ""});
  index.put({{Kind::EXTRACTED, collection(1), "a.png"}, "a.png", "", "milk", true, ""});
  REQUIRE(index.keys("milk", Kind::DOCUMENT) == Keys{"notes"});
  REQUIRE(index.keys("milk", Kind::FILE) == Keys{"a.txt"});
  REQUIRE(index.keys("milk", Kind::EXTRACTED) == Keys{"a.png"});
  REQUIRE(index.keys("milk").size() == 3);
}

TEST_CASE("a text that is not kept is found and not given back") {
  Index index;
  index.put({{Kind::FILE, collection(), "a"}, "a", "", "milk", false, "stamp"});
  REQUIRE(index.find("milk").best[0].text == std::nullopt);
  REQUIRE(KJ_ASSERT_NONNULL(stampOf(*index.db, {Kind::FILE, collection(), "a"})) == "stamp");
  REQUIRE(stampOf(*index.db, document("a")) == nullptr);
}

TEST_CASE("what is behind the limit of a text is not found") {
  Index index;
  std::string text;
  while (text.size() < Item::TEXT_BYTES_MAX) text += "é ";
  index.put("long", "early " + text + " late");
  REQUIRE(index.keys("early") == Keys{"long"});
  REQUIRE(index.keys("late").empty());
  REQUIRE(
      KJ_ASSERT_NONNULL(keptTextOf(*index.db, document("long"))).size() <= Item::TEXT_BYTES_MAX);
}

TEST_CASE("no more are given than are asked for, and how many there are is told") {
  Index index;
  for (int i = 0; i < 30; ++i) index.put(std::to_string(i), "milk");
  auto found = index.find("milk", {}, 10);
  REQUIRE(found.best.size() == 10);
  REQUIRE(found.matches == 30);
  REQUIRE(!found.areMore);
}

TEST_CASE(
    "of a word that is nearly everywhere the newest are found, and those that have it in their title") {
  Index index;
  Transaction all(*index.db);
  search::put(*index.db, {document("old"), "milk", "", "about it", true, ""});
  for (size_t i = 0; i <= COMPARED_MAX; ++i)
    search::put(*index.db, {document("n" + std::to_string(i)), "x", "", "milk", true, ""});
  all.commit();
  auto found = index.find("milk", {}, 10);
  REQUIRE(found.areMore);
  REQUIRE(found.best[0].name.key == "old");
  REQUIRE(found.best[1].name.key == "n" + std::to_string(COMPARED_MAX));
}

TEST_CASE("what was not committed when the machine stopped is not there, and what was is") {
  Home home;
  Words words;
  kj::Own<Database> db = home.open();
  {
    Transaction all(*db);
    put(*db, {document("kept"), "kept", "", "milk", true, ""});
    all.commit();
  }
  std::map<std::string, std::string> disk;
  {
    Transaction open(*db);
    put(*db, {document("lost"), "lost", "", "milk", true, ""});
    disk = contentOf(*home.directory);
  }
  Home after(directoryWith(disk));
  auto again = after.open();
  auto found = find(*again, parseQuery("milk", words), {}, 10);
  REQUIRE(found.best.size() == 1);
  REQUIRE(found.best[0].name.key == "kept");
}

TEST_CASE("words lie in no file of the database") {
  Index index;
  index.put("xylophonetitle", "quetzalcoatlus and zanzibarmagic, many times over");
  REQUIRE(index.keys("zanzibarmagic").size() == 1);
  index.db->checkpoint();
  for (auto& [name, bytes]: contentOf(*index.home.directory)) {
    for (auto planted: {"quetzalcoatlus", "zanzibarmagic", "xylophonetitle", "xylo"})
      REQUIRE(bytes.find(planted) == std::string::npos);
  }
}

TEST_CASE("no query is an error to the index") {
  Index index;
  index.put("notes", "milk");
  uint32_t state = 1;
  auto next = [&]() { return (state = state * 1'664'525 + 1'013'904'223) >> 16; };
  constexpr std::string_view PIECES[] = {"\"", "*", "-", "(", ")", "AND", "OR", "NOT", "NEAR(", ":",
      "^", "{title}", "+", "milk", " ", "\n", "'", ";", "\\", "東", "\xff",
      std::string_view("\0", 1)};
  for (int round = 0; round < 2'000; ++round) {
    std::string typed;
    for (auto count = next() % 12; count > 0; --count) typed += PIECES[next() % std::size(PIECES)];
    REQUIRE_NOTHROW(index.find(typed));
  }
  REQUIRE_NOTHROW(index.find(std::string(1 << 20, 'x')));
  std::string many;
  while (many.size() < 1 << 20) many += "milk* ";
  REQUIRE(index.keys(many) == Keys{"notes"});
}

}  // namespace
}  // namespace hearth::storage::search

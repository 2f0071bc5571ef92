// The clipboard's rows, and what is left of them on the disk.
#include "storage/tables/clips.h"
#include "tests/storage/home.h"

#include <kj/encoding.h>

#include <catch2/catch_test_macros.hpp>

#define SQLITE_HAS_CODEC 1
#include <sqlcipher/sqlite3.h>

namespace hearth::storage {
namespace {

const std::string PLANTED = "a password that nobody finds on a disk";

DeviceId device(kj::byte fill) {
  DeviceId id;
  memset(id.bytes, fill, sizeof(id.bytes));
  return id;
}
const auto PHONE = device(1), LAPTOP = device(2);

ClipRow rowOf(uint64_t stamp, const DeviceId& author = PHONE) {
  return {.name = {stamp, author},
      .place = stamp,
      .lifetimeMs = 60'000,
      .leftMs = 50'000,
      .atMs = 7,
      .mime = "text/plain",
      .preview = PLANTED,
      .bytes = 10,
      .isSecret = true};
}

// Larger than a page, so that it stands in pages of its own as well.
crypto::Buffer largeText() {
  std::string text;
  for (int i = 0; i < 1'000; ++i) text += PLANTED;
  return kj::heapArray<kj::byte>(kj::StringPtr(text.c_str()).asBytes());
}

template <typename F>
void committed(Database& db, F&& f) {
  Transaction all(db);
  f();
  all.commit();
}

// Every page of the database as whoever has its key sees it, unused ones included.
std::string decrypted(const std::map<std::string, std::string>& files, const Home& home) {
  auto directory = directoryWith(files);
  SystemEntropy entropy;
  DirectoryVfs vfs(*directory, entropy, kj::systemCoarseCalendarClock());
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open_v2(HEARTH_DB.cStr(), &db, SQLITE_OPEN_READWRITE, vfs.name().cStr()) ==
      SQLITE_OK);
  auto literal = kj::str("x'", kj::encodeHex(home.key.reveal()), "'");
  REQUIRE(sqlite3_key(db, literal.begin(), static_cast<int>(literal.size())) == SQLITE_OK);
  REQUIRE(sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE; SELECT count(*) FROM sqlite_schema",
              nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_int64 size = 0;
  auto* bytes = sqlite3_serialize(db, "main", &size, 0);
  REQUIRE(bytes != nullptr);
  std::string all(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
  sqlite3_free(bytes);
  sqlite3_close(db);
  return all;
}

TEST_CASE("an entry of the clipboard is read as it was put, and is gone with its bytes") {
  Home home;
  auto db = home.open();
  committed(*db, [&]() {
    clips::put(*db, rowOf(1), largeText());
    clips::put(*db, rowOf(2, LAPTOP), largeText());
  });
  REQUIRE(clips::all(*db) == std::vector<ClipRow>{rowOf(1), rowOf(2, LAPTOP)});
  REQUIRE(KJ_ASSERT_NONNULL(clips::envelope(*db, {1, PHONE})) == largeText());
  committed(*db, [&]() { clips::update(*db, {1, PHONE}, 40'000, 8); });
  REQUIRE(clips::all(*db).front().leftMs == 40'000);
  REQUIRE(clips::all(*db).front().atMs == 8);
  committed(*db, [&]() { clips::drop(*db, {1, PHONE}); });
  REQUIRE(clips::all(*db) == std::vector<ClipRow>{rowOf(2, LAPTOP)});
  REQUIRE(clips::envelope(*db, {1, PHONE}) == nullptr);
  REQUIRE(clips::authors(*db) == std::vector<ClipAuthor>{{PHONE, 1, 0}, {LAPTOP, 2, 0}});
}

TEST_CASE("clearing takes an author's entries up to a stamp, and never goes back") {
  Home home;
  auto db = home.open();
  committed(*db, [&]() {
    for (uint64_t stamp: {1, 2, 3}) clips::put(*db, rowOf(stamp), largeText());
    clips::clear(*db, PHONE, 2);
    clips::clear(*db, PHONE, 1);
    clips::clear(*db, LAPTOP, 5);
  });
  REQUIRE(clips::all(*db) == std::vector<ClipRow>{rowOf(3)});
  REQUIRE(clips::authors(*db) == std::vector<ClipAuthor>{{PHONE, 3, 2}, {LAPTOP, 0, 5}});
}

TEST_CASE("what is gone from the clipboard is in no page and not in the write-ahead log") {
  Home home;
  auto db = home.open();
  committed(*db, [&]() { clips::put(*db, rowOf(1), largeText()); });
  db->checkpoint();
  // First that it can be found where it is.
  REQUIRE(decrypted(contentOf(*home.directory), home).find(PLANTED) != std::string::npos);
  committed(*db, [&]() { clips::drop(*db, {1, PHONE}); });
  db->checkpoint();
  auto files = contentOf(*home.directory);
  REQUIRE(decrypted(files, home).find(PLANTED) == std::string::npos);
  for (auto& [name, content]: files)
    if (name.ends_with("-wal")) REQUIRE(content.empty());
}

}  // namespace
}  // namespace hearth::storage

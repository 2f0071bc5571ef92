#include "tests/storage/home.h"

#include <catch2/catch_test_macros.hpp>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hearth::storage {
namespace {

constexpr kj::StringPtr PLANTED = "planted plaintext that nobody else writes"_kj;

// A directory on the real disk, until the end of the test.
struct DiskFolder {
  kj::Own<kj::Filesystem> filesystem = kj::newDiskFilesystem();
  kj::String path = makePath();

  ~DiskFolder() noexcept(false) { filesystem->getRoot().tryRemove(inRoot()); }
  kj::Path inRoot() const { return kj::Path(nullptr).evalNative(path); }
  kj::Own<const kj::Directory> open() const {
    return filesystem->getRoot().openSubdir(inRoot(), kj::WriteMode::MODIFY);
  }
  static kj::String makePath() {
    char path[] = "/tmp/hearth-database-XXXXXX";
    KJ_REQUIRE(mkdtemp(path) != nullptr);
    return kj::str(path);
  }
};

// The files of a database whose process was killed while its log held a note.
std::map<std::string, std::string> filesOfKilled() {
  Home home;
  auto db = home.open(NOTES);
  addNote(*db, 1);
  auto files = contentOf(*home.directory);
  REQUIRE(files.at("hearth.db-wal").size() > 4096);
  return files;
}

kj::String valueOf(Database& db, kj::StringPtr pragma) {
  auto select = db.query(kj::str("PRAGMA ", pragma));
  REQUIRE(select.step());
  return kj::str(select.text(0));
}

TEST_CASE("what was written is there after reopening, in memory") {
  Home home;
  addNote(*home.open(NOTES), 1);
  REQUIRE(countNotes(*home.open(NOTES)) == 1);
}

TEST_CASE("what was written is there after reopening, on the disk") {
  DiskFolder folder;
  Home home(folder.open());
  addNote(*home.open(NOTES), 1);
  REQUIRE(countNotes(*home.open(NOTES)) == 1);
}

TEST_CASE("files are for their owner alone") {
  DiskFolder folder;
  Home home(folder.open());
  auto db = home.open(NOTES);
  addNote(*db, 1);
  for (auto name: {"hearth.db", "hearth.db-wal"}) {
    struct stat found;
    REQUIRE(stat(kj::str(folder.path, "/", name).cStr(), &found) == 0);
    REQUIRE((found.st_mode & 0777) == 0600);
  }
}

TEST_CASE("nothing that was written can be read from the files") {
  Home home;
  auto db = home.open(NOTES);
  addNote(*db, 1, PLANTED);
  for (auto& [name, content]: contentOf(*home.directory))
    REQUIRE(content.find(PLANTED.cStr()) == std::string::npos);
}

TEST_CASE("another key is refused and leaves every file as it was") {
  auto files = filesOfKilled();
  Home home(directoryWith(files));
  home.key = keyOf(2);
  REQUIRE(home.tryOpen(NOTES).error().code == Errc::DECRYPT_FAILED);
  REQUIRE(contentOf(*home.directory) == files);
  home.key = keyOf(1);
  REQUIRE(countNotes(*home.open(NOTES)) == 1);
}

TEST_CASE("a file that is no database is refused and stays as it was") {
  std::map<std::string, std::string> files{{"hearth.db", std::string(8192, 'x')}};
  Home home(directoryWith(files));
  REQUIRE(home.tryOpen().error().code == Errc::DECRYPT_FAILED);
  REQUIRE(contentOf(*home.directory) == files);
}

TEST_CASE("a refused database is told of by its error, and nothing is written to standard error") {
  int told = memfd_create("told", MFD_CLOEXEC), stderrBefore = dup(STDERR_FILENO);
  REQUIRE(dup2(told, STDERR_FILENO) == STDERR_FILENO);
  Home home(directoryWith({{"hearth.db", std::string(8192, 'x')}}));
  auto refused = home.tryOpen();
  dup2(stderrBefore, STDERR_FILENO);
  close(stderrBefore);
  REQUIRE(!refused);
  REQUIRE(lseek(told, 0, SEEK_END) == 0);
  close(told);
}

TEST_CASE("a database without encryption is refused and stays as it was") {
  std::string plain("SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20", 24);
  plain.resize(8192);
  std::map<std::string, std::string> files{{"hearth.db", plain}};
  Home home(directoryWith(files));
  REQUIRE(home.tryOpen().error().code == Errc::DECRYPT_FAILED);
  REQUIRE(contentOf(*home.directory) == files);
}

TEST_CASE("a database that was cut short is refused") {
  Home first;
  first.open();
  auto files = contentOf(*first.directory);
  files["hearth.db"].resize(4000);
  Home home(directoryWith(files));
  REQUIRE(home.tryOpen().error().code == Errc::DECRYPT_FAILED);
}

TEST_CASE("SQLCipher older than 4.6.1 is refused") {
  for (auto old: {"3.4.1", "4.5.9 community", "4.6.0 community", "4.6", "4", "", "community"})
    REQUIRE(acceptCipherVersion(old).error().code == Errc::BAD_VERSION);
  for (auto recent: {"4.6.1 community", "4.6.1", "4.10.0 enterprise", "5.0.0", "4.7"})
    REQUIRE(acceptCipherVersion(recent).has_value());
}

TEST_CASE("every setting is as the specification wants it") {
  Home home;
  auto db = home.open();
  REQUIRE(valueOf(*db, "cipher_page_size") == "4096");
  REQUIRE(valueOf(*db, "cipher_hmac_algorithm") == "HMAC_SHA512");
  REQUIRE(valueOf(*db, "cipher_use_hmac") == "1");
  REQUIRE(valueOf(*db, "locking_mode") == "exclusive");
  REQUIRE(valueOf(*db, "journal_mode") == "wal");
  REQUIRE(valueOf(*db, "synchronous") == "2");
  REQUIRE(valueOf(*db, "temp_store") == "2");
  REQUIRE(valueOf(*db, "secure_delete") == "1");
  REQUIRE(valueOf(*db, "foreign_keys") == "1");
  REQUIRE(valueOf(*db, "mmap_size") == "0");
  REQUIRE(valueOf(*db, "cell_size_check") == "1");
  REQUIRE(valueOf(*db, "trusted_schema") == "0");
}

TEST_CASE("the schema cannot be written by hand, nor another database attached") {
  Home home;
  auto db = home.open();
  REQUIRE_THROWS_AS(db->run("UPDATE sqlite_schema SET sql = ''"), kj::Exception);
  db->run("PRAGMA writable_schema = ON");
  REQUIRE_THROWS_AS(db->run("UPDATE sqlite_schema SET sql = ''"), kj::Exception);
  REQUIRE_THROWS_AS(db->run("ATTACH 'other.db' AS other"), kj::Exception);
}

TEST_CASE("a database is open once, on one VFS and on two") {
  DiskFolder folder;
  Home home(folder.open()), other(folder.open());
  auto db = home.open(NOTES);
  REQUIRE(home.tryOpen(NOTES).error().code == Errc::BUSY);
  REQUIRE(other.tryOpen(NOTES).error().code == Errc::BUSY);
  db = nullptr;
  REQUIRE(other.tryOpen(NOTES).has_value());
}

TEST_CASE(
    "one statement may be used within its own rows, and again afterwards without what was bound") {
  Home home;
  auto db = home.open(NOTES);
  for (int64_t i = 1; i <= 3; ++i) db->run("INSERT INTO notes VALUES (?1, ?2)", i, "note"_kj);
  size_t pairs = 0;
  auto outer = db->query("SELECT number FROM notes WHERE number > ?1", 0);
  while (outer.step()) {
    auto inner = db->query("SELECT number FROM notes WHERE number > ?1", outer.number(0));
    while (inner.step()) ++pairs;
  }
  REQUIRE(pairs == 3);
  auto unbound = db->query("SELECT number FROM notes WHERE number > ?1");
  REQUIRE_FALSE(unbound.step());
}

TEST_CASE("migrations go forward, each once") {
  const kj::StringPtr steps[] = {"CREATE TABLE notes (number INTEGER PRIMARY KEY, body TEXT)"_kj,
      "INSERT INTO notes VALUES (7, 'from the second migration')"_kj};
  Home home;
  { home.open({kj::arrayPtr(steps, 1), nullptr}); }
  { REQUIRE(countNotes(*home.open({steps, nullptr})) == 1); }
  REQUIRE(countNotes(*home.open({steps, nullptr})) == 1);
}

TEST_CASE("a migration that fails leaves the version before it") {
  const kj::StringPtr steps[] = {"CREATE TABLE notes (number INTEGER PRIMARY KEY, body TEXT)"_kj,
      "INSERT INTO notes VALUES (7, 'half'); INSERT INTO nowhere VALUES (1)"_kj};
  Home home;
  REQUIRE_THROWS_AS(home.tryOpen({steps, nullptr}), kj::Exception);
  auto db = home.open({kj::arrayPtr(steps, 1), nullptr});
  REQUIRE(countNotes(*db) == 0);
  REQUIRE(valueOf(*db, "user_version") == "1");
}

TEST_CASE("a database of a newer Hearth is refused and stays as it was") {
  Home newer;
  auto db = newer.open(NOTES);
  db->run("PRAGMA user_version = 2");
  auto files = contentOf(*newer.directory);
  Home home(directoryWith(files));
  REQUIRE(home.tryOpen(NOTES).error().code == Errc::BAD_VERSION);
  REQUIRE(contentOf(*home.directory) == files);
}

TEST_CASE("a transaction that is not committed is undone, inside another alone") {
  Home home;
  auto db = home.open(NOTES);
  {
    Transaction outer(*db);
    addNote(*db, 1);
    {
      Transaction inner(*db);
      addNote(*db, 2);
    }
    outer.commit();
  }
  {
    Transaction outer(*db);
    addNote(*db, 3);
  }
  REQUIRE(countNotes(*db) == 1);
  REQUIRE(!db->inTransaction());
}

TEST_CASE("a value is data, whatever it looks like") {
  Home home;
  auto db = home.open(NOTES);
  addNote(*db, 1, "'); DROP TABLE notes; --");
  auto select = db->query("SELECT body FROM notes WHERE number = ?1", 1);
  REQUIRE(select.step());
  REQUIRE(select.text(0) == "'); DROP TABLE notes; --");
}

TEST_CASE("two statements in one are refused") {
  Home home;
  auto db = home.open(NOTES);
  REQUIRE_THROWS_AS(db->run("DELETE FROM notes; DELETE FROM notes"), kj::Exception);
}

TEST_CASE("a checkpoint empties the write-ahead log") {
  Home home;
  auto db = home.open(NOTES);
  addNote(*db, 1);
  REQUIRE(contentOf(*home.directory).at("hearth.db-wal").size() > 0);
  db->checkpoint();
  REQUIRE(contentOf(*home.directory).at("hearth.db-wal").size() == 0);
}

}  // namespace
}  // namespace hearth::storage

#pragma once
// A directory with a key, in which tests open a database again and again.

#include "storage/sql/store.h"
#include "storage/tables/hearth-db.h"

#include <kj/debug.h>

#include <map>
#include <string>

namespace hearth::storage {

// A table of numbers to play with, beside nothing else.
inline const kj::StringPtr NOTES_MIGRATIONS[] = {
    "CREATE TABLE notes (number INTEGER PRIMARY KEY, body TEXT NOT NULL)"_kj};
inline const Schema NOTES{NOTES_MIGRATIONS, nullptr};

inline crypto::DatabaseKey keyOf(kj::byte fill) {
  return crypto::DatabaseKey::make(
      [fill](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), fill, out.size()); });
}

// The content of every file.
inline std::map<std::string, std::string> contentOf(const kj::ReadableDirectory& directory) {
  std::map<std::string, std::string> files;
  for (auto& name: directory.listNames()) {
    auto bytes = directory.openFile(kj::Path(kj::str(name)))->readAllBytes();
    files[name.cStr()] = std::string(bytes.asChars().begin(), bytes.size());
  }
  return files;
}

inline kj::Own<const kj::Directory> directoryWith(const std::map<std::string, std::string>& files) {
  auto directory = kj::newInMemoryDirectory(kj::nullClock());
  for (auto& [name, content]: files) {
    directory->openFile(kj::Path(kj::str(name.c_str())), kj::WriteMode::CREATE)
        ->writeAll(kj::StringPtr(content.c_str(), content.size()));
  }
  return directory;
}

struct Home {
  SystemEntropy entropy;
  kj::Own<const kj::Directory> directory;
  DirectoryVfs vfs;
  crypto::DatabaseKey key = keyOf(1);

  explicit Home(kj::Own<const kj::Directory> in = kj::newInMemoryDirectory(kj::nullClock()))
      : directory(kj::mv(in)),
        vfs(*directory, entropy, kj::systemCoarseCalendarClock()) {}

  Result<kj::Own<Database>> tryOpen(const Schema& schema = HEARTH_SCHEMA) {
    return Database::open(vfs, HEARTH_DB, key, schema);
  }

  kj::Own<Database> open(const Schema& schema = HEARTH_SCHEMA) {
    auto opened = tryOpen(schema);
    if (!opened) KJ_FAIL_REQUIRE("the database did not open", opened.error().because);
    return kj::mv(*opened);
  }
};

inline void addNote(Database& db, int64_t number, kj::StringPtr body = "text") {
  db.run("INSERT INTO notes VALUES (?1, ?2)", number, body);
}

inline int64_t countNotes(Database& db) {
  auto select = db.query("SELECT count(*) FROM notes");
  select.step();
  return select.number(0);
}

}  // namespace hearth::storage

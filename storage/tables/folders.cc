#include "storage/tables/folders.h"

#include "storage/tables/folder-choices.h"
#include "storage/tables/folder-rows.h"
#include "storage/tables/folder-unsaid.h"
#include "storage/tables/search-state.h"

#include <kj/debug.h>

namespace hearth::storage::folders {

namespace {

constexpr kj::StringPtr COLUMNS =
    "directory, name, inode, size, modified, changed, state, author, seq, part, fresh"_kj;

// Kernels write what programs wrote within 30 s and some to the disk.
constexpr int64_t UNSYNCED_NS = 60'000'000'000;

Local localOf(Statement& row, int from = 0) {
  Local local;
  local.path = pathOf(row.text(from), row.text(from + 1));
  local.stamp = {static_cast<uint64_t>(row.number(from + 2)),
      static_cast<uint64_t>(row.number(from + 3)), row.number(from + 4), row.number(from + 5)};
  local.state = readState(viewOf(row.blob(from + 6))).value();
  local.version = {DeviceId::from(row.blob(from + 7)).value(),
      static_cast<uint64_t>(row.number(from + 8)), static_cast<uint32_t>(row.number(from + 9))};
  local.isFresh = row.number(from + 10) != 0;
  return local;
}

// Of files alone: nothing else is looked for by its bytes.
crypto::Buffer contentOf(const PathState& state) {
  if (state.kind != PathState::Kind::FILE) return nullptr;
  return kj::heapArray<kj::byte>(state.content.contentId().asBytes());
}

}  // namespace

int64_t add(Database& db, const Folder& folder) {
  db.run("INSERT INTO folders (name, collection, path, boot, own_before, direction)"
         " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
      text(folder.name), folder.collection.asBytes(), text(folder.path), text(folder.boot),
      folder.ownBefore, static_cast<int64_t>(folder.direction));
  auto select = db.query("SELECT last_insert_rowid()");
  select.step();
  return select.number(0);
}

std::vector<Folder> all(Database& db) {
  std::vector<Folder> found;
  auto select = db.query(
      "SELECT i, name, collection, path, boot, own_before, direction FROM folders ORDER BY i");
  while (select.step()) {
    found.push_back({select.number(0), select.text(1).cStr(),
        crypto::CollectionId::from(select.blob(2)).value(), select.text(3).cStr(),
        select.text(4).cStr(), static_cast<uint64_t>(select.number(5)),
        static_cast<Direction>(select.number(6))});
  }
  return found;
}

// What was held back until now is remembered until it is said.
void setDirection(Database& db, int64_t folder, Direction direction) {
  db.run("UPDATE folders SET direction = ?2 WHERE i = ?1", folder, static_cast<int64_t>(direction));
}

void rebooted(Database& db, int64_t folder, const std::string& boot) {
  db.run("UPDATE folder_local SET fresh = 1 WHERE folder = ?1 AND content <> x'' AND changed >="
         " (SELECT max(changed) FROM folder_local WHERE folder = ?1) - ?2",
      folder, UNSYNCED_NS);
  db.run("UPDATE folders SET boot = ?2 WHERE i = ?1", folder, text(boot));
}

void remove(Database& db, int64_t folder) {
  for (auto& known: all(db)) {
    if (known.number == folder) search_state::gone(db, folder, known.collection);
  }
  db.run("DELETE FROM folder_local WHERE folder = ?1", folder);
  db.run("DELETE FROM folder_versions WHERE folder = ?1", folder);
  db.run("DELETE FROM folder_conflicts WHERE folder = ?1", folder);
  db.run("DELETE FROM folder_replaced WHERE folder = ?1", folder);
  db.run("DELETE FROM folder_entries WHERE folder = ?1", folder);
  db.run("DELETE FROM folder_pending WHERE folder = ?1", folder);
  db.run("DELETE FROM folder_texts WHERE folder = ?1", folder);
  db.run("DELETE FROM folder_merges WHERE folder = ?1", folder);
  folder_choices::forgetFolder(db, folder);
  folder_unsaid::forgetFolder(db, folder);
  db.run("DELETE FROM folders WHERE i = ?1", folder);
}

void put(Database& db, int64_t folder, const Local& local) {
  db.run("INSERT OR REPLACE INTO folder_local VALUES"
         " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
      folder, text(local.path.directory().str()), text(nameOf(local.path)), local.stamp.inode,
      local.stamp.size, local.stamp.modifiedNs, local.stamp.changedNs,
      bytesOf(encodeState(local.state)), local.version.author.asBytes(), local.version.seq,
      local.version.index, contentOf(local.state).asPtr(), local.isFresh ? 1 : 0);
  search_state::changed(db, folder, text(local.path.directory().str()), text(nameOf(local.path)));
}

void restamp(
    Database& db, int64_t folder, const FolderPath& path, const FileStamp& stamp, bool isFresh) {
  db.run("UPDATE folder_local SET inode = ?4, size = ?5, modified = ?6, changed = ?7, fresh = ?8"
         " WHERE folder = ?1 AND directory = ?2 AND name = ?3",
      folder, text(path.directory().str()), text(nameOf(path)), stamp.inode, stamp.size,
      stamp.modifiedNs, stamp.changedNs, isFresh ? 1 : 0);
}

void drop(Database& db, int64_t folder, const FolderPath& path) {
  db.run("DELETE FROM folder_local WHERE folder = ?1 AND directory = ?2 AND name = ?3", folder,
      text(path.directory().str()), text(nameOf(path)));
  search_state::changed(db, folder, text(path.directory().str()), text(nameOf(path)));
}

kj::Maybe<Local> find(Database& db, int64_t folder, const FolderPath& path) {
  auto select =
      db.query(kj::str("SELECT ", COLUMNS,
                   " FROM folder_local WHERE folder = ?1 AND directory = ?2 AND name = ?3"),
          folder, text(path.directory().str()), text(nameOf(path)));
  if (!select.step()) return nullptr;
  return localOf(select);
}

std::vector<Local> in(Database& db, int64_t folder, const FolderPath& directory) {
  std::vector<Local> found;
  auto select =
      db.query(kj::str("SELECT ", COLUMNS,
                   " FROM folder_local WHERE folder = ?1 AND directory = ?2 ORDER BY name"),
          folder, text(directory.str()));
  while (select.step()) found.push_back(localOf(select));
  return found;
}

std::vector<Local> below(Database& db, int64_t folder, const FolderPath& directory) {
  std::vector<Local> found;
  // "0" follows "/": whatever begins with the directory's name and "/" lies between.
  auto begin = directory.str() + "/", end = directory.str() + "0";
  auto select =
      db.query(kj::str("SELECT ", COLUMNS,
                   " FROM folder_local WHERE folder = ?1 AND (directory = ?2 OR"
                   " (directory >= ?3 AND directory < ?4)) ORDER BY directory DESC, name DESC"),
          folder, text(directory.str()), text(begin), text(end));
  while (select.step()) found.push_back(localOf(select));
  return found;
}

std::vector<Local> filesWithin(Database& db, int64_t folder, const FolderPath& path,
    const kj::Maybe<FolderPath>& after, size_t most) {
  std::vector<Local> found;
  auto full = "iif(directory = '', name, directory || '/' || name)"_kj;
  std::string directory, name;
  KJ_IF_MAYBE(last, after) directory = last->directory().str(), name = last->name();
  // "0" follows "/": whatever begins with the directory's name and "/" lies between.
  auto begin = path.isFolder() ? std::string() : path.str() + "/";
  auto end = path.isFolder() ? std::string("\xff") : path.str() + "0";
  auto select = db.query(
      kj::str("SELECT ", COLUMNS, " FROM folder_local WHERE folder = ?1 AND content <> x''",
          " AND (directory, name) > (?2, ?3) AND (", full, " = ?4 OR (", full, " > ?5 AND ", full,
          " < ?6)) ORDER BY directory, name LIMIT ?7"),
      folder, text(directory), text(name), text(path.str()), text(begin), text(end), most);
  while (select.step()) found.push_back(localOf(select));
  return found;
}

std::vector<Copy> copiesOf(Database& db, const ContentId& content, size_t most) {
  std::vector<Copy> found;
  auto select = db.query(kj::str("SELECT folder, ", COLUMNS,
                             " FROM folder_local WHERE content = ?1 AND content <> x'' LIMIT ?2"),
      content.asBytes(), most);
  while (select.step()) found.push_back({select.number(0), localOf(select, 1)});
  return found;
}

kj::Maybe<Local> moved(Database& db, int64_t folder, const FileStamp& stamp) {
  auto select = db.query(
      kj::str("SELECT ", COLUMNS,
          " FROM folder_local WHERE inode = ?1 AND folder = ?2 AND size = ?3 AND modified = ?4"),
      stamp.inode, folder, stamp.size, stamp.modifiedNs);
  while (select.step()) {
    auto local = localOf(select);
    if (local.state.kind == PathState::Kind::FILE) return local;
  }
  return nullptr;
}

Totals totals(Database& db, int64_t folder) {
  Totals totals;
  auto files = db.query(
      "SELECT count(*), total(size) FROM folder_local WHERE folder = ?1 AND content <> x''",
      folder);
  files.step();
  totals.files = static_cast<uint64_t>(files.number(0));
  totals.bytes = static_cast<uint64_t>(files.number(1));
  auto pending = db.query("SELECT count(*) FROM folder_pending WHERE folder = ?1", folder);
  pending.step();
  auto away = db.query("SELECT count(*), total(away) FROM folder_pending"
                       " WHERE folder = ?1 AND away IS NOT NULL",
      folder);
  away.step();
  totals.awayFiles = static_cast<uint64_t>(away.number(0));
  totals.awayBytes = static_cast<uint64_t>(away.number(1));
  totals.pending = static_cast<uint64_t>(pending.number(0)) - totals.awayFiles;
  return totals;
}

}  // namespace hearth::storage::folders

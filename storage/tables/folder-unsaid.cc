#include "storage/tables/folder-unsaid.h"

#include "storage/tables/folder-rows.h"

#include <map>

namespace hearth::storage::folder_unsaid {

namespace {

using Kind = PathState::Kind;
using folders::Local;

constexpr kj::StringPtr COLUMNS =
    "directory, name, inode, size, modified, changed, state, author, seq, part, fresh"_kj;

Local localOf(Statement& row) {
  Local local;
  local.path = pathOf(row.text(0), row.text(1));
  local.stamp = {static_cast<uint64_t>(row.number(2)), static_cast<uint64_t>(row.number(3)),
      row.number(4), row.number(5)};
  local.state = readState(viewOf(row.blob(6))).value();
  local.version = {DeviceId::from(row.blob(7)).value(), static_cast<uint64_t>(row.number(8)),
      static_cast<uint32_t>(row.number(9))};
  local.isFresh = row.number(10) != 0;
  return local;
}

// Those that are there, with these over them.
std::vector<Local> over(std::vector<Local> known, std::vector<Local> unsaid) {
  if (unsaid.empty()) return known;
  std::map<FolderPath, Local> all;
  for (auto& local: known) all.insert_or_assign(local.path, kj::mv(local));
  for (auto& local: unsaid) {
    if (local.state.kind == Kind::GONE) {
      all.erase(local.path);
    } else {
      all.insert_or_assign(local.path, kj::mv(local));
    }
  }
  std::vector<Local> seen;
  for (auto& [path, local]: all) seen.push_back(kj::mv(local));
  return seen;
}

}  // namespace

kj::Maybe<Local> find(Database& db, int64_t folder, const FolderPath& path) {
  auto select =
      db.query(kj::str("SELECT ", COLUMNS,
                   " FROM folder_unsaid WHERE folder = ?1 AND directory = ?2 AND name = ?3"),
          folder, text(path.directory().str()), text(nameOf(path)));
  if (!select.step()) return nullptr;
  return localOf(select);
}

void put(Database& db, int64_t folder, const Local& local) {
  db.run(
      "INSERT OR REPLACE INTO folder_unsaid VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
      folder, text(local.path.directory().str()), text(nameOf(local.path)), local.stamp.inode,
      local.stamp.size, local.stamp.modifiedNs, local.stamp.changedNs,
      bytesOf(encodeState(local.state)), local.version.author.asBytes(), local.version.seq,
      local.version.index, local.isFresh ? 1 : 0);
}

void drop(Database& db, int64_t folder, const FolderPath& path) {
  db.run("DELETE FROM folder_unsaid WHERE folder = ?1 AND directory = ?2 AND name = ?3", folder,
      text(path.directory().str()), text(nameOf(path)));
}

void forgetFolder(Database& db, int64_t folder) {
  db.run("DELETE FROM folder_unsaid WHERE folder = ?1", folder);
}

std::vector<FolderPath> all(Database& db, int64_t folder, size_t most) {
  std::vector<FolderPath> found;
  auto select = db.query("SELECT directory, name FROM folder_unsaid WHERE folder = ?1"
                         " ORDER BY directory, name LIMIT ?2",
      folder, most);
  while (select.step()) found.push_back(pathOf(select.text(0), select.text(1)));
  return found;
}

uint64_t count(Database& db, int64_t folder) {
  auto select = db.query("SELECT count(*) FROM folder_unsaid WHERE folder = ?1", folder);
  select.step();
  return static_cast<uint64_t>(select.number(0));
}

kj::Maybe<Local> seen(Database& db, Of folder, const FolderPath& path) {
  if (!folder.onlyReceives()) return folders::find(db, folder.number, path);
  auto unsaid = find(db, folder.number, path);
  KJ_IF_MAYBE(local, unsaid) {
    if (local->state.kind == Kind::GONE) return nullptr;
    return kj::mv(*local);
  }
  return folders::find(db, folder.number, path);
}

std::vector<Local> seenIn(Database& db, Of folder, const FolderPath& directory) {
  std::vector<Local> unsaid;
  if (folder.onlyReceives()) {
    auto select =
        db.query(kj::str("SELECT ", COLUMNS,
                     " FROM folder_unsaid WHERE folder = ?1 AND directory = ?2 ORDER BY name"),
            folder.number, text(directory.str()));
    while (select.step()) unsaid.push_back(localOf(select));
  }
  return over(folders::in(db, folder.number, directory), kj::mv(unsaid));
}

std::vector<Local> seenBelow(Database& db, Of folder, const FolderPath& directory) {
  std::vector<Local> unsaid;
  if (folder.onlyReceives()) {
    // "0" follows "/": whatever begins with the directory's name and "/" lies between.
    auto begin = directory.str() + "/", end = directory.str() + "0";
    auto select = db.query(kj::str("SELECT ", COLUMNS,
                               " FROM folder_unsaid WHERE folder = ?1 AND (directory = ?2 OR"
                               " (directory >= ?3 AND directory < ?4))"),
        folder.number, text(directory.str()), text(begin), text(end));
    while (select.step()) unsaid.push_back(localOf(select));
  }
  return over(folders::below(db, folder.number, directory), kj::mv(unsaid));
}

}  // namespace hearth::storage::folder_unsaid

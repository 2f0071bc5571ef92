#include "storage/tables/folder-listing.h"

#include "storage/tables/folder-rows.h"

#include <set>

namespace hearth::storage::folder_listing {

namespace {

using Kind = PathState::Kind;

Result<FolderPath> childOf(const FolderPath& directory, std::string_view name) {
  return directory.isFolder() ? FolderPath::parse(name) : directory.child(name);
}

// Directories that nobody has named, for there is something in them. One look for each, and not for each that is in it.
void addImplied(Database& db, int64_t folder, const FolderPath& directory, const std::string& after,
    std::set<std::string>& names) {
  // "0" follows "/": what is in a directory lies between. No path has a byte of 0xff.
  auto prefix = directory.isFolder() ? std::string() : directory.str() + "/";
  auto end = directory.isFolder() ? std::string("\xff") : directory.str() + "0";
  for (auto from = prefix;;) {
    auto select = db.query("SELECT directory FROM folder_versions WHERE folder = ?1"
                           " AND directory > ?2 AND directory < ?3 AND substr(state, 1, 1) <> x'00'"
                           " ORDER BY directory LIMIT 1",
        folder, text(from), text(end));
    if (!select.step()) return;
    std::string found = select.text(0).cStr();
    auto name = found.substr(prefix.size(), found.find('/', prefix.size()) - prefix.size());
    if (name > after) names.insert(name);
    from = prefix + name == found ? found : prefix + name + "/\xff";
  }
}

}  // namespace

// What lies there and what does not, of one look at the tables each: SQLite would read every row for an OR.
Held held(Database& db, int64_t folder, const FolderPath& path) {
  if (path.isFolder()) {
    auto all = folders::totals(db, folder);
    return {all.files, all.bytes, all.awayFiles, all.awayBytes};
  }
  Held held;
  auto begin = path.str() + "/", end = path.str() + "0";
  auto add = [](Statement select, uint64_t& files, uint64_t& bytes) {
    select.step();
    files += static_cast<uint64_t>(select.number(0));
    bytes += static_cast<uint64_t>(select.number(1));
  };
  constexpr auto HERE = "SELECT count(*), total(size) FROM folder_local"
                        " WHERE folder = ?1 AND content <> x'' AND "_kj;
  constexpr auto AWAY = "SELECT count(*), total(away) FROM folder_pending"
                        " WHERE folder = ?1 AND away IS NOT NULL AND "_kj;
  add(db.query(kj::str(HERE, "directory = ?2 AND name = ?3"), folder, text(path.directory().str()),
          text(std::string(path.name()))),
      held.files, held.bytes);
  add(db.query(kj::str(HERE, "directory = ?2"), folder, text(path.str())), held.files, held.bytes);
  add(db.query(kj::str(HERE, "directory > ?2 AND directory < ?3"), folder, text(begin), text(end)),
      held.files, held.bytes);
  add(db.query(kj::str(AWAY, "path = ?2"), folder, text(path.str())), held.awayFiles,
      held.awayBytes);
  add(db.query(kj::str(AWAY, "path > ?2 AND path < ?3"), folder, text(begin), text(end)),
      held.awayFiles, held.awayBytes);
  return held;
}

kj::Maybe<Entry> find(Database& db, int64_t folder, const FolderPath& path) {
  KJ_IF_MAYBE(version, folder_versions::shown(db, folder, path)) {
    if (version->state.kind == Kind::GONE) return nullptr;
    bool isHere = true;
    if (version->state.kind == Kind::FILE) {
      auto local = folders::find(db, folder, path);
      isHere = local.map([](auto& is) { return is.state.kind == Kind::FILE; }).orDefault(false);
    }
    return Entry{
        std::string(path.name()), version->state, isHere, folder_choices::isKept(db, folder, path)};
  }
  return nullptr;
}

std::vector<Entry> list(Database& db, int64_t folder, const FolderPath& directory,
    const std::string& after, size_t most) {
  std::vector<Entry> found;
  auto last = after;
  // Names of what is gone are names, too: more are looked at until there are enough, or no more.
  while (found.size() < most) {
    std::set<std::string> names;
    for (auto table: {"folder_versions"_kj, "folder_conflicts"_kj}) {
      auto select = db.query(kj::str("SELECT DISTINCT name FROM ", table,
                                 " WHERE folder = ?1 AND directory = ?2 AND name > ?3"
                                 " ORDER BY name LIMIT ?4"),
          folder, text(directory.str()), text(last), most);
      while (select.step()) names.insert(select.text(0).cStr());
    }
    addImplied(db, folder, directory, last, names);
    if (names.empty()) break;
    size_t looked = 0;
    for (auto& name: names) {
      if (looked++ == most || found.size() == most) break;
      last = name;
      auto path = childOf(directory, name);
      if (!path) continue;
      KJ_IF_MAYBE(entry, find(db, folder, *path)) found.push_back(kj::mv(*entry));
    }
  }
  return found;
}

}  // namespace hearth::storage::folder_listing

#include "storage/tables/folder-choices.h"

#include "storage/tables/folder-rows.h"

#include <kj/debug.h>

namespace hearth::storage::folder_choices {

namespace {

using Kind = PathState::Kind;

constexpr Error TOO_MANY = {Errc::LIMIT_EXCEEDED,
    "a folder has 1,024 choices of what is kept at most: choose about the directories that they are in"_kj};

FolderPath pathOf(kj::StringPtr text) {
  return text.size() == 0 ? FolderPath() : FolderPath::parse(text.cStr()).value();
}

// What is in a directory lies between these: "0" follows "/". Of the folder itself everything does.
struct Inside {
  std::string begin, end;

  explicit Inside(const FolderPath& directory)
      : begin(directory.isFolder() ? "" : directory.str() + "/"),
        end(directory.isFolder() ? "\xff" : directory.str() + "0") {}
};

bool hasAny(Database& db, int64_t folder) {
  auto select = db.query("SELECT 1 FROM folder_choices WHERE folder = ?1 LIMIT 1", folder);
  return select.step();
}

kj::Maybe<bool> exactly(Database& db, int64_t folder, const FolderPath& path) {
  auto select = db.query(
      "SELECT kept FROM folder_choices WHERE folder = ?1 AND path = ?2", folder, text(path.str()));
  if (!select.step()) return nullptr;
  return select.number(0) != 0;
}

// The choice that counts for a path.
kj::Maybe<Choice> nearest(Database& db, int64_t folder, const FolderPath& path) {
  if (!hasAny(db, folder)) return nullptr;
  for (auto at = path;; at = at.directory()) {
    KJ_IF_MAYBE(kept, exactly(db, folder, at)) return Choice{at, *kept};
    if (at.isFolder()) return nullptr;
  }
}

void set(Database& db, int64_t folder, const FolderPath& path, bool keep) {
  db.run("INSERT OR REPLACE INTO folder_choices VALUES (?1, ?2, ?3)", folder, text(path.str()),
      keep ? 1 : 0);
}

// The path that something is kept beside of under that name.
kj::Maybe<FolderPath> besideOf(Database& db, int64_t folder, const FolderPath& path) {
  auto select = db.query("SELECT of_directory, of_name FROM folder_conflicts"
                         " WHERE folder = ?1 AND directory = ?2 AND name = ?3",
      folder, text(path.directory().str()), text(std::string(path.name())));
  if (!select.step()) return nullptr;
  auto directory = pathOf(select.text(0));
  auto of = directory.isFolder() ? FolderPath::parse(select.text(1).cStr())
                                 : directory.child(select.text(1).cStr());
  return kj::mv(of.value());
}

// Of the paths in a directory that are not what they shall be, those where no file is are judged anew.
void considerIn(Database& db, int64_t folder, const FolderPath& directory) {
  std::vector<FolderPath> paths{};
  {
    Inside inside(directory);
    auto select = db.query("SELECT path FROM folder_pending WHERE folder = ?1 AND (path = ?2 OR"
                           " (path > ?3 AND path < ?4))",
        folder, text(directory.str()), text(inside.begin), text(inside.end));
    while (select.step()) paths.push_back(pathOf(select.text(0)));
    auto beside = db.query("SELECT p.path FROM folder_conflicts c JOIN folder_pending p ON"
                           " p.folder = c.folder AND p.path ="
                           " iif(c.directory = '', c.name, c.directory || '/' || c.name)"
                           " WHERE c.folder = ?1 AND c.of_directory = ?2 AND c.of_name = ?3",
        folder, text(directory.isFolder() ? directory.str() : directory.directory().str()),
        text(std::string(directory.name())));
    while (beside.step()) paths.push_back(pathOf(beside.text(0)));
  }
  for (auto& path: paths) folder_versions::consider(db, folder, path);
}

bool isNothing(Database& db, int64_t folder, const FolderPath& path) {
  auto shown = folder_versions::shown(db, folder, path);
  return shown.map([](auto& version) { return version.state.kind == Kind::GONE; }).orDefault(true);
}

// What a directory is called now, if its part `below` has come to `path`.
kj::Maybe<FolderPath> renamed(
    const FolderPath& directory, const FolderPath& was, const FolderPath& is) {
  auto below = was.str().substr(directory.str().size());
  if (!is.str().ends_with(below) || is.str().size() == below.size()) return nullptr;
  auto now = FolderPath::parse(is.str().substr(0, is.str().size() - below.size()));
  if (!now || now->isWithin(directory)) return nullptr;
  return kj::mv(*now);
}

// All that was chosen about a directory, about the other.
void move(Database& db, int64_t folder, const FolderPath& from, const FolderPath& to) {
  for (auto& choice: all(db, folder)) {
    if (!choice.path.isWithin(from)) continue;
    db.run("DELETE FROM folder_choices WHERE folder = ?1 AND path = ?2", folder,
        text(choice.path.str()));
    auto moved = FolderPath::parse(to.str() + choice.path.str().substr(from.str().size()));
    if (moved) set(db, folder, *moved, choice.isKept);
  }
  Inside inside(from);
  db.run("DELETE FROM folder_went WHERE folder = ?1 AND (path = ?2 OR (path > ?3 AND path < ?4))",
      folder, text(from.str()), text(inside.begin), text(inside.end));
}

bool isLive(Database& db, int64_t folder, const RecordName& name) {
  auto select = db.query("SELECT 1 FROM folder_versions"
                         " WHERE folder = ?1 AND seq = ?2 AND part = ?3 AND author = ?4",
      folder, name.seq, name.index, name.author.asBytes());
  return select.step();
}

// Which name a version has changes when others come that contradict it, and when they go. Where it lay it does not stay,
// and perhaps it is nowhere else.
bool isHereUnderAnotherName(Database& db, int64_t folder, const FolderPath& path,
    const kj::Maybe<FolderPath>& beside, const PathState& file) {
  constexpr size_t COPIES_MAX = 16;
  for (auto& copy: folders::copiesOf(db, file.content.contentId(), COPIES_MAX)) {
    auto& local = copy.local;
    if (copy.folder != folder || local.path == path) continue;
    bool isItsPath = beside.map([&](auto& of) { return of == local.path; }).orDefault(false);
    if (!isItsPath && !isLive(db, folder, local.version)) continue;
    auto shown = folder_versions::shown(db, folder, local.path);
    auto isIt = [&](auto& there) {
      return there.state.kind == Kind::FILE && there.state.content == file.content;
    };
    if (!shown.map(isIt).orDefault(false)) return true;
  }
  return false;
}

void went(Database& db, int64_t folder, const FolderPath& path, const PathState& was) {
  auto choice = nearest(db, folder, path);
  if (choice.map([](auto& about) { return about.path.isFolder(); }).orDefault(true)) return;
  auto count = db.query("SELECT count(*) FROM folder_went WHERE folder = ?1", folder);
  count.step();
  if (static_cast<size_t>(count.number(0)) >= REMEMBERED_MAX) return;
  db.run("INSERT OR REPLACE INTO folder_went VALUES (?1, ?2, ?3)", folder,
      was.content.contentId().asBytes(), text(path.str()));
}

void came(Database& db, int64_t folder, const FolderPath& path, const PathState& is) {
  std::vector<FolderPath> before;
  auto select = db.query("SELECT path FROM folder_went WHERE folder = ?1 AND content = ?2", folder,
      is.content.contentId().asBytes());
  while (select.step()) before.push_back(pathOf(select.text(0)));
  for (auto& was: before) {
    KJ_IF_MAYBE(choice, nearest(db, folder, was)) {
      auto& from = choice->path;
      if (from.isFolder() || !isNothing(db, folder, from)) continue;
      KJ_IF_MAYBE(to, renamed(from, was, path)) {
        if (isKept(db, folder, *to) == choice->isKept) continue;
        move(db, folder, from, *to);
        considerIn(db, folder, *to);
        return;
      }
    }
  }
}

}  // namespace

std::vector<Choice> all(Database& db, int64_t folder) {
  std::vector<Choice> found;
  auto select =
      db.query("SELECT path, kept FROM folder_choices WHERE folder = ?1 ORDER BY path", folder);
  while (select.step()) found.push_back({pathOf(select.text(0)), select.number(1) != 0});
  return found;
}

bool isKept(Database& db, int64_t folder, const FolderPath& path) {
  return nearest(db, folder, path).map([](auto& choice) { return choice.isKept; }).orDefault(true);
}

Result<void> choose(Database& db, int64_t folder, const FolderPath& path, bool keep) {
  Inside inside(path);
  auto within = "folder = ?1 AND (path = ?2 OR (path > ?3 AND path < ?4))"_kj;
  auto others = db.query(
      kj::str("SELECT count(*) FROM folder_choices WHERE folder = ?1 AND NOT (", within, ")"),
      folder, text(path.str()), text(inside.begin), text(inside.end));
  others.step();
  if (static_cast<size_t>(others.number(0)) >= CHOICES_MAX) return no(TOO_MANY);
  db.run(kj::str("DELETE FROM folder_choices WHERE ", within), folder, text(path.str()),
      text(inside.begin), text(inside.end));
  if (isKept(db, folder, path) != keep) set(db, folder, path, keep);
  considerIn(db, folder, path);
  return {};
}

Result<void> keepOnly(Database& db, int64_t folder, const std::vector<FolderPath>& paths) {
  if (auto none = choose(db, folder, FolderPath(), false); !none) return none;
  for (auto& path: paths) {
    if (auto one = choose(db, folder, path, true); !one) return one;
  }
  return {};
}

bool isAway(Database& db, int64_t folder, const FolderPath& path, const PathState& file) {
  if (!hasAny(db, folder)) return false;
  auto beside = besideOf(db, folder, path);
  if (isHereUnderAnotherName(db, folder, path, beside, file)) return false;
  KJ_IF_MAYBE(kept, exactly(db, folder, path)) return !*kept;
  KJ_IF_MAYBE(of, beside) {
    if (isKept(db, folder, *of)) return false;
  }
  return !isKept(db, folder, path);
}

bool hasAwayIn(Database& db, int64_t folder, const FolderPath& directory) {
  Inside inside(directory);
  auto select =
      db.query("SELECT 1 FROM folder_pending WHERE folder = ?1 AND path > ?2 AND path < ?3"
               " AND away IS NOT NULL LIMIT 1",
          folder, text(inside.begin), text(inside.end));
  return select.step();
}

void follow(Database& db, int64_t folder, const std::vector<Was>& replaced,
    const std::vector<FolderRecord>& records) {
  if (!hasAny(db, folder)) return;
  for (auto& [path, was]: replaced) {
    if (was.kind == Kind::FILE && isNothing(db, folder, path)) went(db, folder, path, was);
  }
  for (auto& record: records) {
    if (record.state.kind == Kind::FILE) came(db, folder, record.path, record.state);
  }
}

void leaves(Database& db, int64_t folder, const folders::Local& local) {
  db.run("INSERT OR REPLACE INTO folder_leaving VALUES (?1, ?2, ?3, ?4, ?5)", folder,
      text(local.path.str()), local.version.author.asBytes(), local.version.seq,
      local.version.index);
}

std::vector<Leaving> leaving(Database& db, int64_t folder, size_t most) {
  std::vector<Leaving> found;
  auto select = db.query(
      "SELECT path, author, seq, part FROM folder_leaving WHERE folder = ?1 ORDER BY path LIMIT ?2",
      folder, most);
  while (select.step()) {
    found.push_back({pathOf(select.text(0)),
        {DeviceId::from(select.blob(1)).value(), static_cast<uint64_t>(select.number(2)),
            static_cast<uint32_t>(select.number(3))}});
  }
  return found;
}

void stays(Database& db, int64_t folder, const FolderPath& path) {
  db.run("DELETE FROM folder_leaving WHERE folder = ?1 AND path = ?2", folder, text(path.str()));
}

void forgetFolder(Database& db, int64_t folder) {
  db.run("DELETE FROM folder_choices WHERE folder = ?1", folder);
  db.run("DELETE FROM folder_went WHERE folder = ?1", folder);
  db.run("DELETE FROM folder_leaving WHERE folder = ?1", folder);
}

}  // namespace hearth::storage::folder_choices

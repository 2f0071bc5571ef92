#include "storage/tables/folder-versions.h"

#include "core/base/flat.h"
#include "core/time/hlc.h"
#include "crypto/primitives/hash.h"
#include "storage/tables/folder-choices.h"
#include "storage/tables/folder-rows.h"

#include <kj/debug.h>

#include <algorithm>
#include <ctime>
#include <set>

namespace hearth::storage::folder_versions {

namespace {

using Kind = PathState::Kind;

Version versionOf(Statement& row) {
  return {{DeviceId::from(row.blob(0)).value(), static_cast<uint64_t>(row.number(1)),
              static_cast<uint32_t>(row.number(2))},
      static_cast<uint64_t>(row.number(3)), readState(viewOf(row.blob(4))).value()};
}

// Whoever has changed something wins over whoever has removed it, and the later one over the earlier.
bool precedes(const Version& one, const Version& other) {
  auto rank = [](const Version& v) {
    return std::tuple(v.state.kind != Kind::GONE, v.time, v.name);
  };
  return rank(one) > rank(other);
}

// Two questions in one: with OR, SQLite would read every row of the folder.
bool hasSomethingIn(Database& db, int64_t folder, const FolderPath& path) {
  // "0" follows "/": whatever begins with the directory's name and "/" lies between.
  auto begin = path.str() + "/", end = path.str() + "0";
  auto inside =
      db.query("SELECT 1 FROM folder_versions WHERE folder = ?1 AND directory = ?2"
               " AND substr(state, 1, 1) <> x'00'"
               " UNION ALL SELECT 1 FROM folder_versions WHERE folder = ?1 AND directory >= ?3"
               " AND directory < ?4 AND substr(state, 1, 1) <> x'00' LIMIT 1",
          folder, text(path.str()), text(begin), text(end));
  return inside.step();
}

// What is shown of a path by its own versions, and what beside it.
struct Standing {
  kj::Maybe<Version> shown;
  std::vector<Version> beside;
};

Standing standingOf(Database& db, int64_t folder, const FolderPath& path) {
  Standing standing;
  auto all = live(db, folder, path);
  if (hasSomethingIn(db, folder, path)) {
    auto said =
        std::ranges::find(all, Kind::DIRECTORY, [](auto& version) { return version.state.kind; });
    standing.shown = said != all.end()
        ? *said
        : Version{{}, 0, {.kind = Kind::DIRECTORY, .attributes = {.mode = 0755}}};
  } else if (!all.empty()) {
    standing.shown = all.front();
  }
  // Versions that nobody would miss beside the one that is shown are not kept beside it.
  for (auto& version: all) {
    auto same = [&](auto& other) { return other.state.isSameAs(version.state); };
    bool isKept = version.state.kind == Kind::FILE || version.state.kind == Kind::SYMLINK;
    if (!isKept || same(KJ_ASSERT_NONNULL(standing.shown)) ||
        std::ranges::any_of(standing.beside, same))
      continue;
    if (standing.beside.size() == BESIDE_MAX) break;
    standing.beside.push_back(version);
  }
  return standing;
}

bool hasApplied(Database& db, int64_t folder, const RecordName& name) {
  auto select =
      db.query("SELECT 1 FROM folder_entries WHERE folder = ?1 AND author = ?2 AND seq = ?3",
          folder, name.author.asBytes(), name.seq);
  return select.step();
}

// Gives the path that the version was one of, and what it was, if it is here.
kj::Maybe<folder_choices::Was> replace(Database& db, int64_t folder, const RecordName& name) {
  auto select = db.query(
      "DELETE FROM folder_versions WHERE folder = ?1 AND author = ?2 AND seq = ?3 AND part = ?4"
      " RETURNING directory, name, state",
      folder, name.author.asBytes(), name.seq, name.index);
  if (!select.step()) return nullptr;
  folder_choices::Was replaced{
      pathOf(select.text(0), select.text(1)), readState(viewOf(select.blob(2))).value()};
  while (select.step()) {}
  return kj::mv(replaced);
}

// It has not come yet, and is nothing when it comes.
void expectReplaced(Database& db, int64_t folder, const RecordName& name) {
  db.run("INSERT OR IGNORE INTO folder_replaced VALUES (?1, ?2, ?3, ?4)", folder,
      name.author.asBytes(), name.seq, name.index);
}
bool wasReplaced(Database& db, int64_t folder, const RecordName& name) {
  auto select = db.query(
      "DELETE FROM folder_replaced WHERE folder = ?1 AND author = ?2 AND seq = ?3 AND part = ?4"
      " RETURNING 1",
      folder, name.author.asBytes(), name.seq, name.index);
  bool was = select.step();
  while (was && select.step()) {}
  return was;
}

// What is kept beside a path, anew. Gives the names under which something was, is or both.
std::vector<FolderPath> keepBeside(Database& db, int64_t folder, const FolderPath& path) {
  std::vector<FolderPath> touched;
  {
    auto select = db.query(
        "DELETE FROM folder_conflicts WHERE folder = ?1 AND of_directory = ?2 AND of_name = ?3"
        " RETURNING directory, name",
        folder, text(path.directory().str()), text(nameOf(path)));
    while (select.step()) touched.push_back(pathOf(select.text(0), select.text(1)));
  }
  for (auto& version: standingOf(db, folder, path).beside) {
    auto beside = besideName(path, version);
    db.run("INSERT OR IGNORE INTO folder_conflicts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", folder,
        text(beside.directory().str()), text(nameOf(beside)), text(path.directory().str()),
        text(nameOf(path)), version.name.author.asBytes(), version.name.seq, version.name.index);
    touched.push_back(beside);
  }
  return touched;
}

void settle(Database& db, int64_t folder, const FolderPath& path) {
  db.run("DELETE FROM folder_pending WHERE folder = ?1 AND path = ?2", folder, text(path.str()));
}

// What has been wanted at a pending path since it was known what lies there, the newest last.
constexpr size_t PLACED_MAX = 8;

std::vector<Version> wantedSo(Database& db, int64_t folder, const FolderPath& path) {
  std::vector<Version> found;
  auto select = db.query("SELECT placed FROM folder_pending WHERE folder = ?1 AND path = ?2",
      folder, text(path.str()));
  if (!select.step()) return found;
  FlatReader in(select.blob(0));
  while (in.good() && in.remaining().size() > 0) {
    Version version;
    version.name = {in.id<DeviceId>(), in.u64(), in.u32()};
    auto state = readState(viewOf(in.var32(RECORDS_BYTES_MAX)));
    KJ_REQUIRE(in.good() && state, "a row of a pending path is none");
    version.state = kj::mv(*state);
    found.push_back(kj::mv(version));
  }
  return found;
}

void putPending(Database& db, int64_t folder, const FolderPath& path,
    const std::vector<Version>& placed, kj::Maybe<uint64_t> awayBytes) {
  FlatWriter out;
  for (auto& version: placed)
    out.bytes(version.name.author.asBytes())
        .u64(version.name.seq)
        .u32(version.name.index)
        .var32(bytesOf(encodeState(version.state)));
  db.run("INSERT OR REPLACE INTO folder_pending (folder, path, directory, name, placed)"
         " VALUES (?1, ?2, ?3, ?4, ?5)",
      folder, text(path.str()), text(path.directory().str()), text(nameOf(path)), out.asBytes());
  KJ_IF_MAYBE(bytes, awayBytes) {
    db.run("UPDATE folder_pending SET away = ?3 WHERE folder = ?1 AND path = ?2", folder,
        text(path.str()), *bytes);
  }
}

void unsettle(
    Database& db, int64_t folder, const FolderPath& path, const kj::Maybe<Version>& want) {
  auto all = wantedSo(db, folder, path);
  KJ_IF_MAYBE(version, want) {
    bool isNew = std::ranges::find(all, version->name, &Version::name) == all.end();
    if (isNew && version->state.kind != Kind::GONE && !version->isImplied())
      all.push_back(*version);
    if (all.size() > PLACED_MAX) all.erase(all.begin());
  }
  putPending(db, folder, path, all, nullptr);
}

// Nothing is put there. What may lie there from before is still ours.
void setAway(Database& db, int64_t folder, const FolderPath& path, const PathState& file) {
  putPending(db, folder, path, wantedSo(db, folder, path), file.content.top.length);
}

}  // namespace

FolderPath besideName(const FolderPath& path, const Version& version) {
  auto full = nameOf(path);
  auto dot = full.rfind('.');
  bool hasEnding = dot != full.npos && dot > 0 && full.size() - dot <= 16;
  auto stem = hasEnding ? full.substr(0, dot) : full;
  auto ending = hasEnding ? full.substr(dot) : std::string();
  auto seconds = static_cast<time_t>(HlcStamp{version.time}.wallMs() / 1'000);
  tm utc{};
  gmtime_r(&seconds, &utc);
  char when[32];
  auto size = strftime(when, sizeof(when), "%Y-%m-%d %H%M%S", &utc);
  KJ_ASSERT(size > 0);
  uint64_t seq = version.name.seq;
  uint32_t index = version.name.index;
  auto which = crypto::hash("hearth/conflict-name/v1",
      {version.name.author.asBytes(), kj::arrayPtr(&seq, 1).asBytes(),
          kj::arrayPtr(&index, 1).asBytes()});
  auto mark = kj::str(" (conflict ", when, " ", kj::encodeHex(which.asBytes().slice(0, 4)), ")");
  auto room = FolderPath::NAME_BYTES_MAX - mark.size() - ending.size();
  while (stem.size() > room) {
    // Not in the middle of a character.
    stem.pop_back();
    while (!stem.empty() && (static_cast<unsigned char>(stem.back()) & 0xc0) == 0x80)
      stem.pop_back();
    if (!stem.empty() && static_cast<unsigned char>(stem.back()) >= 0xc0) stem.pop_back();
  }
  auto name = stem + mark.cStr() + ending;
  auto directory = path.directory();
  auto beside = directory.isFolder() ? FolderPath::parse(name) : directory.child(name);
  // Too deep for a longer name: under the folder itself, where there is room.
  if (!beside) beside = FolderPath::parse(name);
  return beside.value();
}

void apply(Database& db, int64_t folder, const RecordName& first, uint64_t time,
    const std::vector<FolderRecord>& records) {
  if (hasApplied(db, folder, first)) return;
  std::set<FolderPath> touched;
  std::vector<folder_choices::Was> before;
  for (size_t i = 0; i < records.size(); ++i) {
    auto& record = records[i];
    RecordName name{first.author, first.seq, static_cast<uint32_t>(i)};
    for (auto& replaced: record.replaced) {
      KJ_IF_MAYBE(was, replace(db, folder, replaced)) {
        touched.insert(was->path);
        before.push_back(kj::mv(*was));
      } else if (!hasApplied(db, folder, replaced)) {
        expectReplaced(db, folder, replaced);
      }
    }
    touched.insert(record.path);
    if (wasReplaced(db, folder, name)) continue;
    db.run("INSERT INTO folder_versions (folder, directory, name, author, seq, part, time, state)"
           " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        folder, text(record.path.directory().str()), text(nameOf(record.path)),
        name.author.asBytes(), name.seq, name.index, time, bytesOf(encodeState(record.state)));
  }
  db.run(
      "INSERT INTO folder_entries VALUES (?1, ?2, ?3)", folder, first.author.asBytes(), first.seq);
  folder_choices::follow(db, folder, before, records);
  std::set<FolderPath> around;
  for (auto& path: touched) {
    for (auto up = path.directory(); !up.isFolder() && around.insert(up).second;)
      up = up.directory();
  }
  touched.merge(around);
  std::set<FolderPath> beside;
  for (auto& path: touched) {
    for (auto& name: keepBeside(db, folder, path)) beside.insert(name);
  }
  touched.merge(beside);
  for (auto& path: touched) consider(db, folder, path);
}

std::vector<Version> live(Database& db, int64_t folder, const FolderPath& path) {
  std::vector<Version> found;
  auto directory = path.directory();
  auto name = nameOf(path);
  auto select = db.query("SELECT author, seq, part, time, state FROM folder_versions"
                         " WHERE folder = ?1 AND directory = ?2 AND name = ?3 LIMIT ?4",
      folder, text(directory.str()), text(name), VERSIONS_MAX + 1);
  while (select.step()) found.push_back(versionOf(select));
  // Of too many the newest. Of one or two, as nearly every path has, to sort them costs more than to find them.
  if (found.size() > VERSIONS_MAX) {
    found.clear();
    auto newest = db.query("SELECT author, seq, part, time, state FROM folder_versions"
                           " WHERE folder = ?1 AND directory = ?2 AND name = ?3"
                           " ORDER BY time DESC, author DESC, seq DESC, part DESC LIMIT ?4",
        folder, text(directory.str()), text(name), VERSIONS_MAX);
    while (newest.step()) found.push_back(versionOf(newest));
  }
  std::ranges::sort(found, precedes);
  return found;
}

kj::Maybe<Version> shown(Database& db, int64_t folder, const FolderPath& path) {
  auto here = standingOf(db, folder, path).shown;
  KJ_IF_MAYBE(version, here) {
    if (version->state.kind != Kind::GONE) return here;
  }
  auto select = db.query(
      "SELECT v.author, v.seq, v.part, v.time, v.state FROM folder_conflicts c JOIN folder_versions v"
      " ON v.folder = c.folder AND v.author = c.author AND v.seq = c.seq AND v.part = c.part"
      " WHERE c.folder = ?1 AND c.directory = ?2 AND c.name = ?3",
      folder, text(path.directory().str()), text(nameOf(path)));
  if (select.step()) return versionOf(select);
  return here;
}

bool isYetToBeBeside(Database& db, int64_t folder, const FolderPath& path, const PathState& state) {
  auto select =
      db.query("SELECT c.directory, c.name FROM folder_conflicts c JOIN folder_pending p"
               " ON p.folder = c.folder AND p.directory = c.directory AND p.name = c.name"
               " AND p.away IS NULL WHERE c.folder = ?1 AND c.of_directory = ?2 AND c.of_name = ?3",
          folder, text(path.directory().str()), text(nameOf(path)));
  while (select.step()) {
    auto version = shown(db, folder, pathOf(select.text(0), select.text(1)));
    KJ_IF_MAYBE(wanted, version) {
      if (wanted->state.isSameAs(state)) return true;
    }
  }
  return false;
}

std::vector<FolderPath> pending(
    Database& db, int64_t folder, Order order, const FolderPath& beyond, size_t most) {
  auto sql = order == Order::FORWARDS
      ? "SELECT directory, name FROM folder_pending WHERE folder = ?1 AND path > ?2"
        " AND away IS NULL ORDER BY path LIMIT ?3"_kj
      : "SELECT directory, name FROM folder_pending WHERE folder = ?1 AND (?2 = '' OR path < ?2)"
        " AND away IS NULL ORDER BY path DESC LIMIT ?3"_kj;
  std::vector<FolderPath> found;
  auto select = db.query(sql, folder, text(beyond.str()), most);
  while (select.step()) found.push_back(pathOf(select.text(0), select.text(1)));
  return found;
}

bool shallBeAway(Database& db, int64_t folder, const FolderPath& path, const Version& version) {
  return version.state.kind == Kind::FILE &&
      folder_choices::isAway(db, folder, path, version.state);
}

bool isAway(Database& db, int64_t folder, const FolderPath& path) {
  auto select =
      db.query("SELECT 1 FROM folder_pending WHERE folder = ?1 AND path = ?2 AND away IS NOT NULL",
          folder, text(path.str()));
  return select.step();
}

void consider(Database& db, int64_t folder, const FolderPath& path) {
  auto want = shown(db, folder, path);
  auto have = folders::find(db, folder, path);
  bool wantsNone = true;
  KJ_IF_MAYBE(version, want) {
    wantsNone = version->state.kind == Kind::GONE;
    bool isMadeWithWhatIsInIt = version->isImplied();
    KJ_IF_MAYBE(local, have) {
      isMadeWithWhatIsInIt = isMadeWithWhatIsInIt && local->state.kind == Kind::DIRECTORY;
      if (local->version == version->name) return settle(db, folder, path);
    }
    if (isMadeWithWhatIsInIt) return settle(db, folder, path);
  }
  if (wantsNone && have == nullptr) return settle(db, folder, path);
  KJ_IF_MAYBE(version, want) {
    if (have == nullptr && shallBeAway(db, folder, path, *version))
      return setAway(db, folder, path, version->state);
  }
  unsettle(db, folder, path, want);
}

kj::Maybe<Version> placed(
    Database& db, int64_t folder, const FolderPath& path, const PathState& found) {
  for (auto& version: wantedSo(db, folder, path)) {
    if (version.state.isSameAs(found)) return version;
  }
  return nullptr;
}

std::vector<RecordName> unseen(Database& db, int64_t folder, const crypto::CollectionId& collection,
    kj::StringPtr topic, size_t most) {
  std::vector<RecordName> found;
  auto select = db.query(
      "SELECT author, seq FROM entries e WHERE collection = ?1 AND topic = ?2 AND NOT EXISTS"
      " (SELECT 1 FROM folder_entries f WHERE f.folder = ?3 AND f.author = e.author AND f.seq = e.seq)"
      " ORDER BY i LIMIT ?4",
      collection.asBytes(), topic, folder, most);
  while (select.step()) {
    found.push_back(
        {DeviceId::from(select.blob(0)).value(), static_cast<uint64_t>(select.number(1)), 0});
  }
  return found;
}

}  // namespace hearth::storage::folder_versions

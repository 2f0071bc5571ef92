#include "storage/tables/folder-merges.h"

#include "core/base/flat.h"
#include "storage/crdt/packed.h"
#include "storage/folder/text-merge.h"
#include "storage/tables/folder-rows.h"

#include <kj/debug.h>

namespace hearth::storage::folder_merges {

namespace {

constexpr int PACKED_LEVEL = 3;  // of zstd

uint64_t room(Database& db) {
  auto select = db.query("SELECT bytes FROM folder_texts_room");
  KJ_REQUIRE(select.step());
  return static_cast<uint64_t>(select.number(0));
}

void forgetOldest(Database& db) {
  while (room(db) > TEXTS_BYTES_MAX)
    db.run("DELETE FROM folder_texts WHERE i = (SELECT min(i) FROM folder_texts)");
}

// What lies at the path, if it is a file that was read to its end and is that version.
kj::Maybe<folders::Local> lying(
    Database& db, int64_t folder, const FolderPath& path, const RecordName& version) {
  auto local = folders::find(db, folder, path);
  KJ_IF_MAYBE(there, local) {
    bool isIt =
        there->state.kind == PathState::Kind::FILE && !there->isFresh && there->version == version;
    if (isIt) return local;
  }
  return nullptr;
}

}  // namespace

void remember(Database& db, int64_t folder, const ContentId& content, std::string_view text) {
  KJ_REQUIRE(isText(text), text.size());
  db.run("INSERT OR IGNORE INTO folder_texts (folder, content, packed) VALUES (?1, ?2, ?3)", folder,
      content.asBytes(), bytesOf(packed(text, PACKED_LEVEL)));
  forgetOldest(db);
}

kj::Maybe<std::string> rememberedText(Database& db, int64_t folder, const ContentId& content) {
  auto select = db.query("SELECT packed FROM folder_texts WHERE folder = ?1 AND content = ?2",
      folder, content.asBytes());
  if (!select.step()) return nullptr;
  return unpacked(viewOf(select.blob(0)), MERGED_BYTES_MAX).value();  // rows are authenticated
}

Conflicts conflicts(Database& db, int64_t folder, const FolderPath& behind, size_t most) {
  Conflicts found;
  auto select = db.query(
      "SELECT directory, name, of_directory, of_name, author, seq, part FROM folder_conflicts"
      " WHERE folder = ?1 AND (directory, name) > (?2, ?3) ORDER BY directory, name LIMIT ?4",
      folder, text(behind.isFolder() ? behind.str() : behind.directory().str()),
      text(nameOf(behind)), most);
  while (select.step()) {
    auto at = pathOf(select.text(0), select.text(1)), of = pathOf(select.text(2), select.text(3));
    RecordName version{DeviceId::from(select.blob(4)).value(),
        static_cast<uint64_t>(select.number(5)), static_cast<uint32_t>(select.number(6))};
    found.last = at;
    KJ_IF_MAYBE(shown, folder_versions::shown(db, folder, of)) {
      auto file = lying(db, folder, of, shown->name);
      auto beside = lying(db, folder, at, version);
      if (file == nullptr || beside == nullptr) continue;
      found.some.push_back({kj::mv(KJ_ASSERT_NONNULL(file)), kj::mv(KJ_ASSERT_NONNULL(beside))});
    }
  }
  return found;
}

void plan(Database& db, int64_t folder, const FolderPath& path, const Plan& plan) {
  FlatWriter out;
  for (auto& name: plan.made) out.bytes(name.author.asBytes()).u64(name.seq).u32(name.index);
  db.run("INSERT OR REPLACE INTO folder_merges VALUES (?1, ?2, ?3, ?4)", folder, text(path.str()),
      plan.content.asBytes(), out.asBytes());
}

kj::Maybe<Plan> planned(Database& db, int64_t folder, const FolderPath& path) {
  auto select = db.query("SELECT content, made FROM folder_merges WHERE folder = ?1 AND path = ?2",
      folder, text(path.str()));
  if (!select.step()) return nullptr;
  Plan plan{ContentId::from(select.blob(0)).value(), {}};
  FlatReader in(select.blob(1));
  while (in.good() && in.remaining().size() > 0)
    plan.made.push_back({in.id<DeviceId>(), in.u64(), in.u32()});
  KJ_REQUIRE(in.good(), "a row of a merged text is none");
  return kj::mv(plan);
}

void done(Database& db, int64_t folder, const FolderPath& path) {
  db.run("DELETE FROM folder_merges WHERE folder = ?1 AND path = ?2", folder, text(path.str()));
}

}  // namespace hearth::storage::folder_merges

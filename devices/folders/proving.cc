#include "devices/folders/proving.h"

#include "devices/folders/hashing.h"

namespace hearth::devices {

namespace {

namespace folders = storage::folders;

using storage::Database;
using storage::FileTree;
using storage::PathState;
using storage::TreeResult;

bool isFileOf(const kj::Maybe<folders::Local>& local, const BlobRef& ref) {
  KJ_IF_MAYBE(there, local)
    return there->state.kind == PathState::Kind::FILE && there->state.content == ref;
  return false;
}

}  // namespace

kj::Promise<FolderProving::Locals> FolderProving::known(const std::vector<Asked>& files) {
  return around.store.read([folder = folder.number, files](Database& db) {
    Locals locals;
    for (auto& file: files) locals.push_back(folders::find(db, folder, file.path));
    return locals;
  });
}

// Step by step: others use the disk, too.
kj::Promise<bool> FolderProving::isThere(
    const Asked& file, const folders::Local& local, const storage::Gear& gear) {
  FileHashing hashing(gear);
  TreeResult<bool> end = false;
  while (end && !*end) {
    end = co_await tree.run([&](FileTree& files) {
      auto end = hashing.step(files, file.path);
      hashing.takeNodes();
      return end;
    });
  }
  co_return end&& hashing.state().content == file.ref&& hashing.stamp() == local.stamp;
}

kj::Promise<std::vector<bool>> FolderProving::keeps(std::vector<Asked> files) {
  std::vector<bool> kept(files.size(), false);
  auto key = around.circle.chunkKeyOf(folder.collection);
  if (key == nullptr) co_return kept;
  storage::Gear gear(KJ_ASSERT_NONNULL(key));
  auto before = co_await known(files);
  for (size_t i = 0; i < files.size(); ++i) {
    if (!isFileOf(before[i], files[i].ref) || freeing.isLeaving(files[i].path)) continue;
    kept[i] = co_await isThere(files[i], KJ_ASSERT_NONNULL(before[i]), gear);
  }
  // Its owner may have written it, and it may be in memory alone.
  auto synced = co_await tree.run([](FileTree& files) { return files.sync().has_value(); });
  // None leaves between these two looks, nor while the tables are read.
  auto begun = freeing.begun();
  for (size_t i = 0; i < files.size(); ++i) kept[i] = kept[i] && !freeing.isLeaving(files[i].path);
  auto now = co_await known(files);
  bool isQuiet = synced && begun == freeing.begun();
  for (size_t i = 0; i < files.size(); ++i) kept[i] = kept[i] && isQuiet && now[i] == before[i];
  co_return kept;
}

}  // namespace hearth::devices

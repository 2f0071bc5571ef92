// What of folders is here and what is away: asked by their owner, and by other devices.

#include "devices/folders/folders.h"

namespace hearth::devices {

namespace listing = storage::folder_listing;

std::expected<Folders::Place, std::string> Folders::placeOf(const std::string& path) {
  for (auto& [collection, folder]: open) {
    auto& root = folder->settings().path;
    if (path == root) return Place{folder.get(), {}};
    if (!path.starts_with(root) || path[root.size()] != '/') continue;
    auto inside = storage::FolderPath::parse(path.substr(root.size() + 1));
    if (inside) return Place{folder.get(), kj::mv(*inside)};
  }
  return std::unexpected(path + " is in no folder that is there: hearth folder list");
}

kj::Promise<Folder::Chosen> Folders::choose(Folder::Choice choice, std::vector<std::string> paths) {
  Folder* folder = nullptr;
  std::vector<storage::FolderPath> inside;
  for (auto& path: paths) {
    auto place = placeOf(path);
    if (!place) return Folder::Chosen(std::unexpected(place.error()));
    if (folder != nullptr && folder != place->folder)
      return Folder::Chosen(std::unexpected("one folder at a time: choose for each of them alone"));
    folder = place->folder;
    inside.push_back(kj::mv(place->path));
  }
  if (folder == nullptr) return Folder::Chosen(std::unexpected("no path is named"));
  return folder->choose(choice, kj::mv(inside));
}

kj::Promise<std::expected<Folders::Shown, std::string>> Folders::show(
    std::string path, std::string after) {
  auto place = placeOf(path);
  if (!place) co_return std::unexpected(place.error());
  Shown shown{place->folder->settings().name, place->path, nullptr, {}, {}, false};
  auto number = place->folder->settings().number;
  co_return co_await around.store.read(
      [number, after = kj::mv(after), shown = kj::mv(shown)](
          storage::Database& db) mutable -> std::expected<Shown, std::string> {
        auto& at = shown.path;
        if (!at.isFolder()) shown.entry = listing::find(db, number, at);
        if (!at.isFolder() && shown.entry == nullptr)
          return std::unexpected(at.str() + " is nothing that the folder has");
        shown.held = listing::held(db, number, at);
        for (auto& entry: listing::list(db, number, at, after, SHOWN_MAX)) {
          auto child =
              at.isFolder() ? storage::FolderPath::parse(entry.name) : at.child(entry.name);
          auto held = child ? listing::held(db, number, *child) : listing::Held();
          shown.in.emplace_back(kj::mv(entry), held);
        }
        shown.hasMore = shown.in.size() == SHOWN_MAX;
        return kj::mv(shown);
      });
}

kj::Promise<kj::Maybe<listing::Entry>> Folders::look(std::string path) {
  auto place = placeOf(path);
  if (!place) return kj::Maybe<listing::Entry>();
  return around.store.read([number = place->folder->settings().number, at = kj::mv(place->path)](
                               storage::Database& db) -> kj::Maybe<listing::Entry> {
    if (at.isFolder()) return nullptr;
    return listing::find(db, number, at);
  });
}

kj::Promise<std::expected<crypto::Buffer, FolderReading::Failure>> Folders::read(
    std::string path, BlobRef ref, uint64_t offset, uint64_t bytes) {
  auto place = placeOf(path);
  if (place && !place->path.isFolder())
    return place->folder->read(kj::mv(place->path), ref, offset, bytes);
  return std::expected<crypto::Buffer, FolderReading::Failure>(
      std::unexpected(FolderReading::Failure::MISSING));
}

kj::Promise<std::vector<bool>> Folders::keeps(
    const crypto::CollectionId& folder, std::vector<FolderProving::Asked> files) {
  auto found = open.find(folder);
  if (found == open.end()) return std::vector<bool>(files.size(), false);
  return found->second->keeps(kj::mv(files));
}

}  // namespace hearth::devices

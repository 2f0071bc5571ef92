#include "devices/folders/folders.h"

#include "core/base/printable.h"
#include "storage/tables/entries.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::devices {

namespace {

namespace folders = storage::folders;

using storage::Database;

constexpr kj::Duration SEEK_EVERY = 30 * kj::SECONDS;

storage::FolderId idOf(const crypto::CollectionId& collection) {
  return storage::FolderId::from(collection.asBytes()).value();
}

kj::StringPtr mayBeCalled(const std::string& name) {
  if (name.empty() || name.size() > folders::NAME_BYTES_MAX || !isPrintable(name.c_str()))
    return "a folder's name has 1 to 128 bytes of printable text"_kj;
  return nullptr;
}

}  // namespace

kj::Maybe<crypto::CollectionId> folderCollection(const BlobCircle& circle, kj::StringPtr name) {
  return circle.collectionCalled("folders", name);
}

Folders::Folders(FolderSurroundings around, BlobExchange& exchange)
    : around(around),
      source(around.store),
      tasks(*this) {
  exchange.add(source);
  around.log.follow(*this);
}

Folders::~Folders() noexcept(false) = default;

kj::Promise<void> Folders::start() {
  auto all = co_await around.store.read([](Database& db) { return folders::all(db); });
  for (auto& folder: all) take(kj::mv(folder));
}

// A disk that is not mounted comes back.
void Folders::take(folders::Folder folder) {
  auto tree = around.system.open(folder.path, idOf(folder.collection));
  if (!tree) {
    gone.insert_or_assign(
        folder.name, std::pair(folder, std::string(storage::describe(tree.error()).cStr())));
    seeking = seek().eagerlyEvaluate(
        [](kj::Exception&& e) { KJ_LOG(ERROR, "folders are not looked for", e); });
    return;
  }
  auto collection = folder.collection;
  auto number = folder.number;
  auto opened = kj::heap<Folder>(around, kj::mv(folder), kj::mv(*tree));
  source.add(number, collection, opened->files());
  open.insert_or_assign(collection, kj::mv(opened));
}

kj::Promise<void> Folders::seek() {
  while (!gone.empty()) {
    co_await around.timer.afterDelay(SEEK_EVERY);
    std::vector<folders::Folder> back;
    for (auto& [name, lost]: gone) {
      if (around.system.open(lost.first.path, idOf(lost.first.collection)))
        back.push_back(lost.first);
    }
    for (auto& folder: back) {
      gone.erase(folder.name);
      take(folder);
    }
  }
}

kj::Promise<std::expected<void, std::string>> Folders::add(
    std::string path, std::string name, Direction direction) {
  if (auto why = mayBeCalled(name); why != nullptr) co_return std::unexpected(why.cStr());
  if (openNamed(name) != open.end() || gone.contains(name))
    co_return std::unexpected(
        "this device has a folder of that name already: `hearth folder list` says where");
  auto called = folderCollection(around.circle, name.c_str());
  if (called == nullptr)
    co_return std::unexpected(
        "this device holds no key of the circle yet: try again when it has met another device");
  auto& collection = KJ_ASSERT_NONNULL(called);
  if (open.size() + gone.size() >= folders::FOLDERS_MAX)
    co_return std::unexpected("this device has 64 folders, and no more");
  auto created = around.system.create(path, idOf(collection));
  if (!created) co_return std::unexpected(created.error());
  folders::Folder folder{.name = name,
      .collection = collection,
      .path = created->path,
      .boot = around.system.boot(),
      .direction = direction};
  folder = co_await around.store.write([folder, self = around.self](Database& db) mutable {
    folder.ownBefore = storage::entries::following(db, folder.collection, FOLDER_TOPIC, self);
    folder.number = folders::add(db, folder);
    return folder;
  });
  take(kj::mv(folder));
  co_return std::expected<void, std::string>();
}

Folders::Open::iterator Folders::openNamed(const std::string& name) {
  return std::ranges::find_if(
      open, [&](auto& entry) { return entry.second->settings().name == name; });
}

// It begins anew, as when this device had: whatever is under way is no more, and what is not done is found.
kj::Promise<bool> Folders::set(std::string name, Direction direction) {
  auto found = openNamed(name);
  if (found != open.end()) {
    auto folder = found->second->settings();
    if (folder.direction == direction) co_return true;
    source.remove(folder.number);
    open.erase(found);
    gone.insert_or_assign(name, std::pair(kj::mv(folder), std::string("it is just being set")));
  }
  auto lost = gone.find(name);
  if (lost == gone.end()) co_return false;
  auto number = lost->second.first.number;
  kj::Maybe<kj::Exception> failed;
  try {
    co_await around.store.write(
        [number, direction](Database& db) { folders::setDirection(db, number, direction); });
  } catch (const kj::Exception& e) {  // a full disk, perhaps: it goes on as it was
    failed = kj::cp(e);
  }
  // Removed meanwhile.
  lost = gone.find(name);
  if (lost == gone.end() || lost->second.first.number != number) co_return false;
  auto folder = kj::mv(lost->second.first);
  if (failed == nullptr) folder.direction = direction;
  gone.erase(lost);
  take(kj::mv(folder));
  KJ_IF_MAYBE(e, failed) kj::throwFatalException(kj::mv(*e));
  co_return true;
}

kj::Promise<bool> Folders::remove(std::string name) {
  int64_t number = 0;
  if (auto found = openNamed(name); found != open.end()) {
    number = found->second->settings().number;
    source.remove(number);
    open.erase(found);
  } else if (auto lost = gone.find(name); lost != gone.end()) {
    number = lost->second.first.number;
    gone.erase(lost);
  } else {
    co_return false;
  }
  co_await around.store.write([number](Database& db) { folders::remove(db, number); });
  co_return true;
}

kj::Promise<std::vector<Folders::View>> Folders::list() {
  std::vector<View> views;
  std::vector<crypto::CollectionId> collections;
  for (auto& [collection, folder]: open) collections.push_back(collection);
  for (auto& collection: collections) {
    auto found = open.find(collection);
    if (found == open.end()) continue;
    auto& settings = found->second->settings();
    View view{settings.name, settings.path, settings.direction, {}};
    try {
      view.status = co_await found->second->status();
    } catch (
        const kj::Exception& e) {  // it is removed or set meanwhile, or its tables cannot be read
      view.status.problem = e.getDescription().cStr();
    }
    views.push_back(kj::mv(view));
  }
  for (auto& [name, lost]: gone) {
    Folder::Status status;
    status.problem = lost.second;
    views.push_back({name, lost.first.path, lost.first.direction, kj::mv(status)});
  }
  co_return kj::mv(views);
}

std::vector<Folders::Files> Folders::files() const {
  std::vector<Files> all;
  for (auto& [collection, folder]: open) all.push_back({folder->settings(), folder->files()});
  return all;
}

void Folders::addTo(Holdings& holdings) const {
  for (auto& [collection, folder]: open) {
    holdings.push_back(
        {"files of a folder that are fetched", folder->fetches(), FolderMaking::FETCHES_MAX});
  }
}

void Folders::stored(const storage::Log::Stored& entry) {
  auto found = open.find(entry.head.collection);
  if (found != open.end()) found->second->arrived(entry);
}

void Folders::taskFailed(kj::Exception&& e) { KJ_LOG(WARNING, "folders", e.getDescription()); }

}  // namespace hearth::devices

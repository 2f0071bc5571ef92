#pragma once
// The folders of this device, and those of the circle: each is a collection of the operation log that is named by the
// folder's name, so that what is called the same on two devices is the same folder.

#include "devices/data/blob-exchange.h"
#include "devices/folders/folder-source.h"
#include "devices/folders/folder.h"
#include "storage/tables/folder-listing.h"

namespace hearth::devices {

// None: this device holds no key of the circle.
kj::Maybe<crypto::CollectionId> folderCollection(const BlobCircle& circle, kj::StringPtr name);

class Folders final: private storage::Log::Follower, private kj::TaskSet::ErrorHandler {
 public:
  // All outlive this object.
  Folders(FolderSurroundings around, BlobExchange& exchange);
  ~Folders() noexcept(false);

  // Opens those that there are. To be awaited before anything else is asked.
  kj::Promise<void> start();

  // The directory becomes the folder of that name, and is in step with the others' from now on. Resolves when it is one;
  // its files follow. A line for people where it cannot be one.
  using Direction = storage::folders::Direction;
  kj::Promise<std::expected<void, std::string>> add(
      std::string path, std::string name, Direction direction = Direction::BOTH);
  // From now on. What was held back follows, or is held back. False: there is no such folder.
  kj::Promise<bool> set(std::string name, Direction direction);
  // It is a directory like any other from now on: nothing happens to its files, here or elsewhere.
  kj::Promise<bool> remove(std::string name);

  struct View {
    std::string name, path;
    Direction direction;
    Folder::Status status;
  };
  kj::Promise<std::vector<View>> list();

  // The paths, of this device, are those of one folder or of what is in it. Folder::choose.
  kj::Promise<Folder::Chosen> choose(Folder::Choice choice, std::vector<std::string> paths);

  // What there is of a folder, here or away.
  struct Shown {
    std::string name;  // of the folder
    storage::FolderPath path;
    kj::Maybe<storage::folder_listing::Entry> entry;  // of the path itself; none: the folder
    storage::folder_listing::Held held;               // at the path and in it
    std::vector<std::pair<storage::folder_listing::Entry, storage::folder_listing::Held>> in;
    bool hasMore = false;  // of these
  };
  static constexpr size_t SHOWN_MAX = 1'024;
  // `after`: the name that was shown last. A line for people where there is no such path.
  kj::Promise<std::expected<Shown, std::string>> show(std::string path, std::string after);

  // Of the path alone. None: there is nothing, or it is a folder itself.
  kj::Promise<kj::Maybe<storage::folder_listing::Entry>> look(std::string path);
  kj::Promise<std::expected<crypto::Buffer, FolderReading::Failure>> read(
      std::string path, BlobRef ref, uint64_t offset, uint64_t bytes);

  // For another device: which of these this one keeps (proving.h).
  kj::Promise<std::vector<bool>> keeps(
      const crypto::CollectionId& folder, std::vector<FolderProving::Asked> files);

  // Of those that are there just now.
  struct Files {
    storage::folders::Folder folder;
    std::shared_ptr<TreeWork> tree;
  };
  std::vector<Files> files() const;

  void addTo(Holdings& holdings) const;

 private:
  using Open = std::map<crypto::CollectionId, kj::Own<Folder>>;

  FolderSurroundings around;
  FolderSource source;
  Open open;
  // Those that are not there just now, and why.
  std::map<std::string, std::pair<storage::folders::Folder, std::string>> gone;
  kj::Promise<void> seeking = nullptr;
  kj::TaskSet tasks;

  Open::iterator openNamed(const std::string& name);
  struct Place {
    Folder* folder;
    storage::FolderPath path;
  };
  std::expected<Place, std::string> placeOf(const std::string& path);
  void take(storage::folders::Folder folder);
  kj::Promise<void> seek();
  void stored(const storage::Log::Stored& entry) override;
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices

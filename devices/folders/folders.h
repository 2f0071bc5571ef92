#pragma once
// The folders of this device, and those of the circle: each is a collection of the operation log that is named by the
// folder's name, so that what is called the same on two devices is the same folder.

#include "devices/data/blob-exchange.h"
#include "devices/folders/folder-source.h"
#include "devices/folders/folder.h"

namespace hearth::devices {

crypto::CollectionId folderCollection(kj::StringPtr name);

class Folders final: private storage::Log::Follower, private kj::TaskSet::ErrorHandler {
 public:
  // All outlive this object.
  Folders(FolderSurroundings around, BlobExchange& exchange);
  ~Folders() noexcept(false);

  // Opens those that there are. To be awaited before anything else is asked.
  kj::Promise<void> start();

  // The directory becomes the folder of that name, and is in step with the others' from now on. Resolves when it is one;
  // its files follow. A line for people where it cannot be one.
  kj::Promise<std::expected<void, std::string>> add(std::string path, std::string name);
  // It is a directory like any other from now on: nothing happens to its files, here or elsewhere.
  kj::Promise<bool> remove(std::string name);

  struct View {
    std::string name, path;
    Folder::Status status;
  };
  kj::Promise<std::vector<View>> list();

  // Of those that are there just now.
  struct Files {
    storage::folders::Folder folder;
    std::shared_ptr<TreeWork> tree;
  };
  std::vector<Files> files() const;

  void addTo(Holdings& holdings) const;

 private:
  FolderSurroundings around;
  FolderSource source;
  std::map<crypto::CollectionId, kj::Own<Folder>> open;
  // Those that are not there just now, and why.
  std::map<std::string, std::pair<storage::folders::Folder, std::string>> gone;
  kj::Promise<void> seeking = nullptr;
  kj::TaskSet tasks;

  void take(storage::folders::Folder folder);
  kj::Promise<void> seek();
  void stored(const storage::Log::Stored& entry) override;
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices

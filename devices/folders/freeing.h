#pragma once
// Files leave this device when their owner has said so, and stay known. Each leaves only when another device has just
// read it from its own disk and keeps it (proving.h): one that no other device is known to have stays.
//
//   chosen to be away -> others are asked -> written down that it leaves -> removed -> written down that it is away
//
// A file that is missing after a crash, and of which it is written down that it leaves, was not removed by its owner.
// From before it asks until the end a device answers no itself: so two that free the same file do not rely on each other.

#include "devices/folders/surroundings.h"
#include "storage/tables/folder-choices.h"

#include <deque>
#include <functional>
#include <memory>
#include <set>

namespace hearth::devices {

class FolderFreeing final {
 public:
  static constexpr size_t BATCH = 256;                        // files that are asked about together
  static constexpr uint64_t BATCH_BYTES = uint64_t{1} << 30;  // more only of one file
  static constexpr kj::Duration ANSWERED_WITHIN = 20 * kj::SECONDS;  // and as long as
  static constexpr uint64_t READ_BYTES_PER_S = 8 << 20;  // what is asked about is read for
  static constexpr kj::Duration LOOKED_EVERY = 50 * kj::MILLISECONDS;  // at what was just written
  static constexpr int LOOKS_MAX = 60;

  // `ready` is called when some() has something to do, `lookAt` for a path that is not what was known of it.
  struct Tells {
    std::function<void()> ready;
    std::function<void(const storage::FolderPath&)> lookAt;
  };

  // All outlive this object.
  FolderFreeing(FolderSurroundings& around, const storage::folders::Folder& folder, TreeWork& tree,
      Tells tells)
      : around(around),
        folder(folder),
        tree(tree),
        tells(kj::mv(tells)) {}

  struct Report {
    static constexpr size_t STAYING_MAX = 64;  // that are told one by one

    uint64_t files = 0, bytes = 0;               // that have left
    uint64_t staying = 0;                        // files that have not
    std::map<std::string, std::string> reasons;  // why, of some of these
  };
  // The files at these paths and in them that are here and not kept. Resolves when each has left or stays.
  kj::Promise<Report> free(std::vector<storage::FolderPath> paths);

  // Lets go what others are known to have; nothing else may change the folder's files meanwhile. Whether there was
  // something to do.
  kj::Promise<bool> some();
  // What was about to leave when this device ended: to be done before the folder is looked at.
  kj::Promise<void> endWhatWasBegun();

  bool isLeaving(const storage::FolderPath& path) const { return leaving.contains(path); }
  uint64_t begun() const { return batches; }  // so far: how often more became so

 private:
  using Path = storage::FolderPath;
  using Local = storage::folders::Local;

  struct File {
    Local local;
    kj::StringPtr stays = nullptr;  // why; a literal
    bool isElsewhere = false;
  };
  // Its files are leaving for as long as it is there.
  struct Batch {
    std::multiset<Path>& leaving;
    std::vector<File> files;
    kj::Own<kj::PromiseFulfiller<void>> done;

    Batch(std::multiset<Path>& leaving, std::vector<File> files);
    ~Batch();
    KJ_DISALLOW_COPY_AND_MOVE(Batch);
  };
  struct Page {
    std::vector<File> files;
    kj::Maybe<Path> last;  // that was considered; none at the end
  };

  FolderSurroundings& around;
  const storage::folders::Folder& folder;
  TreeWork& tree;
  Tells tells;
  std::multiset<Path> leaving;
  uint64_t batches = 0;
  std::deque<std::shared_ptr<Batch>> proven;
  bool mayBeUnderWay = true;  // something that was begun and has not ended

  kj::Promise<Page> next(const Path& path, kj::Maybe<Path> after);
  kj::Promise<void> settle(std::vector<File>& files);
  kj::Promise<void> freeSome(std::vector<File> files, Report& report);
  kj::Promise<void> ask(Batch& batch);
  kj::Promise<void> askOne(const DeviceId& peer, Batch& batch);
  kj::Promise<std::vector<bool>> begin(std::vector<Local> files);
  // Whether nothing of it is left aside.
  kj::Promise<bool> letGo(Batch& batch);
};

}  // namespace hearth::devices

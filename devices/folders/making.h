#pragma once
// Makes the files of a folder what all devices have made of it: fetches what is not here, and places it, many files
// between two syncs. Only what was looked at is replaced, and what is replaced is kept aside.

#include "devices/folders/incoming.h"
#include "devices/folders/surroundings.h"
#include "storage/folder/keeping.h"

#include <functional>
#include <optional>

namespace hearth::devices {

class FolderMaking final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr size_t BATCH = 512;  // paths that are placed together
  static constexpr size_t FETCHES_MAX = 1'024, LARGE_FETCHES_MAX = 4;
  static constexpr uint64_t FETCHED_BYTES_MAX = 16
      << 20;  // of small files that are fetched and not placed
  static constexpr kj::Duration AGAIN_AFTER =
      1 * kj::SECONDS;  // what could not be done, doubling to
  static constexpr kj::Duration AGAIN_AFTER_MAX = 60 * kj::SECONDS;

  // `ready` is called when there may be something to do again, `lookAt` for a path that is not what was known of it.
  struct Tells {
    std::function<void()> ready;
    std::function<void(const storage::FolderPath&)> lookAt;
  };

  FolderMaking(FolderSurroundings& around, const storage::folders::Folder& folder, TreeWork& tree,
      FolderTroubles& troubles, Tells tells);
  ~FolderMaking() noexcept(false);

  // There may be pending paths.
  void poke() { isDone = false; }

  // Whether there was something to do.
  kj::Promise<bool> some();
  kj::Maybe<kj::TimePoint> next() const;

  uint64_t receivedBytes() const { return incoming.receivedBytes(); }
  size_t fetches() const { return fetching.size(); }

 private:
  using Path = storage::FolderPath;
  using Local = storage::folders::Local;
  using Version = storage::folder_versions::Version;

  // Something that shall be done to a path.
  struct Step {
    Path path;
    kj::Maybe<Version> version;  // what shall be there
    kj::Maybe<Local> local;      // what is there
    kj::Maybe<Local> from;       // a file with those bytes, which shall go from where it is
    std::optional<FolderIncoming::Arrived> arrived{};

    bool shallBe(storage::PathState::Kind kind) const;
  };
  struct Done {
    Step step;
    storage::TreeResult<kj::Maybe<storage::FileState>> how;  // none: nothing is there now
    storage::FileAttributes has;                             // of a file that was placed
  };
  struct Retry {
    kj::TimePoint at;
    kj::Duration pause;
    bool isDue = false;  // in the pass that goes on now; whoever fails then waits longer
  };

  FolderSurroundings& around;
  const storage::folders::Folder& folder;
  TreeWork& tree;
  FolderTroubles& troubles;
  Tells tells;
  FolderIncoming incoming;
  bool isDone = false;
  Path cursor;
  bool anyInPass = false;  // was there something that could be done
  std::map<Path, Retry> retries;
  std::map<Path, kj::Promise<void>> fetching;
  size_t large = 0;
  uint64_t smallBytes = 0;
  std::vector<Step> arrived;
  kj::TaskSet tasks;

  bool mayBegin(const BlobRef& ref) const;
  static bool isReady(const Step& step);
  std::vector<Step> takeArrived();
  kj::Promise<std::vector<Step>> pendingSteps();
  kj::Promise<std::vector<Step>> stillWanted(std::vector<Step> steps);
  bool beginToFetch(Step step);
  kj::Promise<void> fetch(Step step);
  kj::Promise<void> place(std::vector<Step> steps);
  std::vector<Done> placeNow(storage::FileTree& files, std::vector<Step> steps);
  storage::TreeResult<kj::Maybe<storage::FileState>> placeOne(storage::FileTree& files, Step& step);
  storage::TreeResult<void> clear(storage::FileTree& files, Step& step);
  storage::TreeResult<storage::FileAttributes> stage(storage::FileTree& files, const Step& step);
  Path keptNameOf(const Path& path);
  void failed(const Path& path, storage::TreeError error);
  void retryLater(const Path& path, kj::Duration first);
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices

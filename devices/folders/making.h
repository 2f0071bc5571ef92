#pragma once
// Makes the files of a folder what all devices have made of it: fetches what is not here, and places it, many files
// between two syncs. Only what was looked at is replaced, and what is replaced is kept aside.

#include "devices/folders/choosing.h"
#include "devices/folders/surroundings.h"

#include <functional>

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
  static constexpr kj::Duration LOOKED_WITHIN = 20 * kj::MILLISECONDS;

  // `ready` is called when there may be something to do again, `lookAt` for a path that is not what was known of it.
  struct Tells {
    std::function<void()> ready;
    std::function<void(const storage::FolderPath&)> lookAt;
  };

  FolderMaking(FolderSurroundings& around, const storage::folders::Folder& folder, TreeWork& tree,
      FolderTroubles& troubles, Tells tells);
  ~FolderMaking() noexcept(false);

  // There may be pending paths, and other states that are wanted.
  void poke() {
    isDone = false;
    hasNews = true;
  }

  // Whether there was something to do.
  kj::Promise<bool> some();
  kj::Maybe<kj::TimePoint> next() const;
  size_t ready() const { return arrived.size(); }  // to be placed

  uint64_t receivedBytes() const { return incoming.receivedBytes(); }
  size_t fetches() const { return fetching.size(); }
  // What is fetched, and no device has that can be reached; so many at most.
  std::vector<storage::FolderPath> waiting(size_t most) const;

 private:
  using Path = storage::FolderPath;
  using Local = storage::folders::Local;

  struct Retry {
    kj::TimePoint at;
    kj::Duration pause;
    bool isDue = false;  // in the pass that goes on now; whoever fails then waits longer
  };

  struct Fetch {
    BlobRef ref;
    bool isOver = false;
    kj::Promise<void> promise = nullptr;
  };

  FolderSurroundings& around;
  const storage::folders::Folder& folder;
  TreeWork& tree;
  FolderTroubles& troubles;
  Tells tells;
  FolderPlacing placing;
  FolderIncoming incoming;
  bool isDone = false, hasNews = false;
  bool mayHaveLeftovers = true;  // staged, and not to be placed
  Path cursor;
  bool anyInPass = false;  // was there something that could be done
  std::map<Path, Retry> retries;
  std::map<Path, Fetch> fetching;
  size_t large = 0;
  uint64_t smallBytes = 0;
  std::vector<FolderStep> arrived;
  kj::TaskSet tasks;

  bool isUnderWay(const BlobRef& ref) const;
  bool mayBegin(const BlobRef& ref) const;
  std::vector<FolderStep> takeArrived();
  kj::Promise<std::vector<FolderStep>> pendingSteps();
  kj::Promise<std::vector<FolderStep>> arrivedSteps();
  void endPass();
  kj::Promise<void> dropLeftovers();
  void lookFirst(const std::vector<Path>& paths);
  bool beginToFetch(FolderStep step);
  kj::Promise<void> fetch(FolderStep step);
  kj::Promise<void> dropSuperseded();
  kj::Promise<void> place(std::vector<FolderStep> steps);
  void failed(const Path& path, storage::TreeError error);
  void retryLater(const Path& path, kj::Duration first);
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices

#pragma once
// One folder of this device, kept in step with what all devices have made of it. Its files lie where their owner put
// them and nowhere else.
//
//   watcher ─▶ looking ─▶ saying ─▶ operation log ─▶ other devices
//   operation log ─▶ versions, pending paths ─▶ making: fetched, staged, placed
//   two versions of a text that lie here ─▶ merging ─▶ saying

#include "devices/folders/looking.h"
#include "devices/folders/making.h"
#include "devices/folders/merging.h"
#include "transport/link/lane-stream.h"

namespace hearth::devices {

class Folder final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr kj::Duration AGAIN_AFTER = 10 * kj::SECONDS;  // what failed as a whole
  static constexpr kj::Duration THINNED_EVERY = 1 * kj::HOURS;   // what is kept of former states

  // The surroundings outlive the folder.
  Folder(FolderSurroundings& around, storage::folders::Folder settings,
      kj::Own<storage::FileTree> tree);
  ~Folder() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(Folder);

  const storage::folders::Folder& settings() const { return known; }
  const std::shared_ptr<TreeWork>& files() const { return tree; }

  // An entry of the folder's collection has come to the disk.
  void arrived(const storage::Log::Stored& entry);

  struct Status {
    storage::folders::Totals totals;
    bool isLookingAtAll = false;
    uint64_t lookedAt = 0;  // files, so far
    uint64_t receivedBytes = 0;
    uint64_t merged = 0;                                      // texts, since it was opened
    std::map<std::string, FolderTroubles::Trouble> troubles;  // by path
    std::string problem;                                      // of the folder itself; empty: none
  };
  kj::Promise<Status> status();
  size_t fetches() const { return making.fetches(); }

 private:
  FolderSurroundings& around;
  storage::folders::Folder known;
  std::shared_ptr<TreeWork> tree;
  kj::Own<storage::TreeWatcher> watcher;
  FolderTroubles troubles;
  FolderSaying saying{around, known};
  FolderLooking looking{around, known, *tree, *watcher, saying, troubles};
  FolderMerging merging{around, known, *tree, saying};
  FolderMaking making;
  bool hasNews = false, mayHaveMissed = true;
  transport::Bell news;
  std::string problem, watchProblem;
  kj::TaskSet tasks;
  kj::Promise<void> following = nullptr, running = nullptr, thinning = nullptr;

  void ring();
  kj::Promise<void> follow();
  kj::Promise<void> run();
  kj::Promise<void> distrustAfterBoot();
  kj::Promise<void> thin();
  kj::Promise<bool> step();
  kj::Promise<void> waitForNews();
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices

#pragma once
// One folder of this device, kept in step with what all devices have made of it. Its files lie where their owner put
// them and nowhere else.
//
//   watcher ─▶ looking ─▶ saying ─▶ operation log ─▶ other devices
//   operation log ─▶ versions, pending paths ─▶ making: fetched, staged, placed
//   two versions of a text that lie here ─▶ merging ─▶ saying
//   its owner's choice ─▶ freeing: what is not kept here, and is elsewhere, leaves

#include "devices/folders/freeing.h"
#include "devices/folders/looking.h"
#include "devices/folders/making.h"
#include "devices/folders/merging.h"
#include "devices/folders/pacing.h"
#include "devices/folders/proving.h"
#include "devices/folders/reading.h"
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
    std::vector<storage::folder_choices::Choice> choices;     // of what is kept here
    uint64_t changedHere = 0;                                 // paths, where it only receives
    uint64_t notTaken = 0;  // paths, where it only sends; they are not pending
    std::string rests;      // why nothing is fetched just now; empty: it is
  };
  kj::Promise<Status> status() { return whileItIsThere(look()); }

  enum class Choice : uint8_t {
    FREE,  // these are not kept here
    ONLY,  // nothing else is
    KEEP,  // these are, again
  };
  using Chosen = std::expected<FolderFreeing::Report, std::string>;
  // Resolves when what is not kept has left, but for what stays. A line for people where it cannot be chosen.
  kj::Promise<Chosen> choose(Choice choice, std::vector<storage::FolderPath> paths);

  // FolderReading::read.
  kj::Promise<std::expected<crypto::Buffer, FolderReading::Failure>> read(
      storage::FolderPath path, BlobRef ref, uint64_t offset, uint64_t bytes) {
    return whileItIsThere(reading.read(kj::mv(path), ref, offset, bytes));
  }

  // FolderProving::keeps, of so many at a time: all no beyond.
  static constexpr size_t PROVING_MAX = 8;
  kj::Promise<std::vector<bool>> keeps(std::vector<FolderProving::Asked> files);
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
  FolderFreeing freeing;
  FolderProving proving{around, known, *tree, freeing};
  FolderPacing pacing;
  size_t provings = 0;
  FolderReading reading{around, known, *tree};
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
  kj::Promise<Status> look();
  kj::Promise<bool> pacedStep();
  kj::Promise<Chosen> carryOut(Choice choice, std::vector<storage::FolderPath> paths);
  // For whoever may outlive the folder: then it fails.
  template <typename T>
  kj::Promise<T> whileItIsThere(kj::Promise<T> work);
  kj::Promise<void> waitForNews();
  void taskFailed(kj::Exception&& e) override;
};

template <typename T>
kj::Promise<T> Folder::whileItIsThere(kj::Promise<T> work) {
  auto paf = kj::newPromiseAndFulfiller<T>();
  tasks.add(kj::coCapture(
      [work = kj::mv(work), fulfiller = kj::mv(paf.fulfiller)]() mutable -> kj::Promise<void> {
        try {
          fulfiller->fulfill(co_await work);
        } catch (const kj::Exception& e) {
          fulfiller->reject(kj::cp(e));
        }
      })());
  return kj::mv(paf.promise);
}

}  // namespace hearth::devices

#pragma once
// Looks at a folder's files: all of them once, and from then on those that the watcher names. What is as it was known to
// be is not read.

#include "devices/folders/saying.h"
#include "storage/folder/ignore.h"

#include <set>

namespace hearth::devices {

class FolderLooking final {
 public:
  static constexpr size_t BATCH = 512;                 // paths that are looked at together
  static constexpr size_t DIRECTORIES_AT_ONCE = 32;    // that are listed together
  static constexpr uint64_t READ_TOGETHER = 32 << 20;  // bytes of small files
  static constexpr size_t FILES_READ_TOGETHER = 256;
  static constexpr size_t COMPARED_AT_ONCE = 4'096;                 // paths of a listing
  static constexpr kj::Duration WRITING_SETTLES = 2 * kj::SECONDS;  // of a file that stays open
  static constexpr kj::Duration AGAIN_AFTER =
      1 * kj::SECONDS;  // what changed while read; doubling to
  static constexpr kj::Duration AGAIN_AFTER_MAX = 60 * kj::SECONDS;

  FolderLooking(FolderSurroundings& around, const storage::folders::Folder& folder, TreeWork& tree,
      storage::TreeWatcher& watcher, FolderSaying& saying, FolderTroubles& troubles)
      : around(around),
        folder(folder),
        tree(tree),
        watcher(watcher),
        saying(saying),
        troubles(troubles) {}

  void lookAtAll();
  void lookAt(const storage::FolderPath& path) { touched.insert(path); }
  void changed(const storage::TreeWatcher::Changes& changes);

  // Whether there was something to look at. Errors: GONE; those of FolderSaying.
  kj::Promise<Result<bool>> some();
  // When there is something again, unless it is told before.
  kj::Maybe<kj::TimePoint> next() const;
  // Paths that are to be looked at; a directory stands for what may be in it.
  size_t ready() const { return touched.size() + directories.size() * FILES_READ_TOGETHER; }

  bool isLookingAtAll() const { return isFirst; }
  uint64_t files() const { return seen; }  // that were looked at so far

 private:
  using Path = storage::FolderPath;
  using Local = storage::folders::Local;

  // A path that is looked at: what there is, and what was known of it.
  struct Look {
    Path path;
    kj::Maybe<storage::FileState> state;
    kj::Maybe<Local> local;
  };

  FolderSurroundings& around;
  const storage::folders::Folder& folder;
  TreeWork& tree;
  storage::TreeWatcher& watcher;
  FolderSaying& saying;
  FolderTroubles& troubles;
  storage::IgnoreRules rules;
  kj::Maybe<storage::Gear> gear;
  std::set<Path> directories, touched;
  struct Later {
    kj::TimePoint at;
    kj::Duration pause;
    bool isDue = false;  // and is being looked at
  };
  std::map<Path, Later> later;
  std::set<Path> closed;  // directories whose rules are refused
  bool isFirst = true;
  uint64_t seen = 0;

  void takeWhatIsDue();
  void again(const Path& path);
  bool isLeftOut(const Path& path, bool isDirectory) const;
  kj::Promise<Result<std::vector<Look>>> listSome();
  kj::Promise<Result<std::vector<Look>>> lookAtTouched();
  kj::Promise<Result<void>> compare(std::vector<Look> looks);
  kj::Promise<void> read(std::vector<Look> files, std::vector<Finding>& findings);
  bool learnRules(const Path& directory, kj::Maybe<std::string> text);
};

}  // namespace hearth::devices

#pragma once
// Makes one text of two versions of it, where they have changed different lines of what both have come from. What comes
// of it is said like any change of a file; both versions are kept aside.

#include "devices/folders/lineage.h"
#include "devices/folders/saying.h"
#include "storage/tables/folder-merges.h"

#include <map>

namespace hearth::devices {

class FolderMerging final {
 public:
  // Whoever wrote the version that is shown merges at once; others where that one does not.
  static constexpr kj::Duration OTHERS_AFTER = 10 * kj::SECONDS;
  static constexpr kj::Duration AGAIN_AFTER = 60 * kj::SECONDS;  // what could not be placed
  static constexpr size_t CONFLICTS_AT_ONCE = 64;

  FolderMerging(FolderSurroundings& around, const storage::folders::Folder& folder, TreeWork& tree,
      FolderSaying& saying)
      : around(around),
        folder(folder),
        tree(tree),
        saying(saying),
        lineage(around, folder) {}

  // There may be other versions than before.
  void poke() { hasNews = true; }

  // Whether something was merged. Errors: those of FolderSaying.
  kj::Promise<Result<bool>> some();
  kj::Maybe<kj::TimePoint> next() const;
  uint64_t merged() const { return count; }  // texts, so far

 private:
  using Conflict = storage::folder_merges::Conflict;
  using Pair = std::pair<storage::RecordName, storage::RecordName>;

  FolderSurroundings& around;
  const storage::folders::Folder& folder;
  TreeWork& tree;
  FolderSaying& saying;
  FolderLineage lineage;
  kj::Maybe<storage::Gear> gear;
  bool hasNews = true;
  uint64_t count = 0;
  // When those that are there are tried; none: that was in vain.
  using Turns = std::map<Pair, kj::Maybe<kj::TimePoint>>;
  Turns turns;

  kj::Maybe<kj::TimePoint>& turnOf(const Pair& pair, Turns& now);
  enum class Outcome : uint8_t { MERGED, NOT_TO_BE, NOT_NOW };
  kj::Promise<Result<Outcome>> merge(Conflict conflict);
  kj::Promise<kj::Maybe<std::string>> mergedOf(const Conflict& conflict);
  kj::Promise<kj::Maybe<Finding>> place(const storage::folders::Local& over, std::string text,
      storage::FileAttributes attributes, std::vector<storage::RecordName> made);
};

}  // namespace hearth::devices

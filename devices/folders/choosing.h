#pragma once
// What shall be done next to make a folder's files what all devices have made of it, as its tables say. Whoever asks
// does it; nothing is changed here.

#include "devices/folders/placing.h"
#include "storage/tables/folder-unsaid.h"

#include <set>

namespace hearth::devices {

// Whether nothing has to be fetched for it.
bool isReady(const FolderStep& step);

struct FolderChoice {
  std::vector<FolderStep> steps;  // in the order of their paths
  // Files that may have been written to since they were read, although their stamps say no: they are read again before
  // anything is done to them or with them.
  std::vector<storage::FolderPath> uncertain;
  kj::Maybe<storage::FolderPath> last;  // that was considered; none at the end
};

// Of the next `most` pending paths after that one, those that something can be done about now. `busy`: paths that are
// being seen to.
FolderChoice chooseSteps(storage::Database& db, storage::folder_unsaid::Of folder,
    const storage::FolderPath& after, const std::set<storage::FolderPath>& busy, size_t most);

struct FolderArrivals {
  std::vector<FolderStep> wanted;
  std::vector<storage::FolderPath> tooEarly;  // what lies there shall be beside it first
  std::vector<storage::FolderPath> uncertain;
};

// Of steps whose bytes have come those that shall still be there, as things are now.
FolderArrivals stillWanted(
    storage::Database& db, storage::folder_unsaid::Of folder, std::vector<FolderStep> steps);

}  // namespace hearth::devices

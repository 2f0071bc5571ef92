#pragma once
// Tells when something in a folder changes (a seam, DESIGN §3): on Linux by inotify. On the loop.

#include "storage/folder/file-tree.h"

#include <kj/async.h>

namespace hearth::storage {

class TreeWatcher {
 public:
  virtual ~TreeWatcher() noexcept(false) = default;

  struct Changes {
    std::vector<FolderPath>
        touched;  // look there now: made, moved, removed, closed after writing, other attributes
    std::vector<FolderPath> beingWritten;  // and not yet closed
    bool all = false;                      // some were lost: look at everything
    bool gone = false;                     // the folder itself
  };

  // The directory's own entries are watched from now on, which is before they are listed. Again and again harmless.
  // Errors: FULL when the machine's watches are used up (`describe` says which setting); MISSING.
  virtual TreeResult<void> watch(const FolderPath& directory) = 0;

  // The next changes, all that have come by then.
  virtual kj::Promise<Changes> changes() = 0;

  virtual size_t watches() const = 0;
};

}  // namespace hearth::storage

#pragma once
// Tells when something in a folder changes (a seam, DESIGN §3): on Linux by inotify. On the loop.

#include "storage/folder/file-tree.h"

#include <kj/async.h>

namespace hearth::storage {

constexpr kj::StringPtr WATCHES_FULL =
    "more directories than the machine watches for one user: raise fs.inotify.max_user_watches (sysctl)"_kj;

class TreeWatcher {
 public:
  virtual ~TreeWatcher() noexcept(false) = default;

  struct Changes {
    // Look there now: made, moved, removed, closed after writing, other attributes. A directory for what is in it and
    // has no path. By whomever, Hearth itself too.
    std::vector<FolderPath> touched;
    std::vector<FolderPath> beingWritten;  // and not yet closed
    bool all = false;                      // some were lost: look at everything, and watch it anew
    bool gone = false;                     // the folder itself
  };

  // The directory's own entries are watched from now on, which is before they are listed; and those of the directories
  // that it is in. Again and again harmless. A directory that is moved stays watched, with what is in it; one that comes
  // from elsewhere is to be watched.
  // Errors: FULL when the machine's watches are used up (WATCHES_FULL says what to do); MISSING, LINKED, GONE.
  virtual TreeResult<void> watch(const FolderPath& directory) = 0;

  // The next changes, all that have come by then. One promise at a time; when it is dropped, nothing is lost. Who asks
  // at intervals is told of a thousand writes at once.
  virtual kj::Promise<Changes> changes() = 0;

  virtual size_t watches() const = 0;
};

}  // namespace hearth::storage

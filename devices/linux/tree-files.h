#pragma once
// System calls on the files of a folder, with its errors: paths that never lead out of a directory, what a file's state
// is, and renaming that replaces nothing unasked. What a kernel or a file system does not have is done by other means.

#include "storage/folder/file-tree.h"

#include <kj/io.h>

#include <atomic>
#include <sys/stat.h>

namespace hearth::devices {

using storage::FileAttributes;
using storage::FileStamp;
using storage::FileState;
using storage::FileTree;
using storage::FolderPath;
using storage::TreeError;
using storage::TreeResult;

// What the kernel may not have, or a sandbox keep from us.
struct KernelCalls {
  std::atomic<bool> openat2 = true;    // from 5.6 on
  std::atomic<bool> renameat2 = true;  // some file systems have only a part of it
};

// Of the last system call.
TreeError lastError();

// A new descriptor, or an error.
using Opened = TreeResult<kj::AutoCloseFd>;
Opened openIn(int directory, const std::string& name, int flags, mode_t mode = 0);

// A directory below `root`, on the same disk; `flags` beside those that keep to it, O_PATH or O_RDONLY.
// Errors: LINKED, MISSING for what is no directory.
Opened openBeneath(KernelCalls& calls, int root, const FolderPath& directory, int flags);

// Itself, where it is a link. Of whatever `disk` it is, a directory of another is OTHER.
TreeResult<FileState> stateIn(int directory, const std::string& name, dev_t disk);
FileState stateOf(const struct stat& found, dev_t disk);

// Whether it is the same file and nobody has written into it. Its ctime changes when it is renamed.
bool isSame(const FileState& state, const FileStamp& expected);

// A name in a directory.
struct Spot {
  int directory;
  std::string name;
};

// Errors: CHANGED where something is already, MISSING.
TreeResult<void> renameToNew(KernelCalls& calls, const Spot& from, const Spot& to);

// Both are there, and each is where the other one was. Errors: UNSUPPORTED, MISSING.
TreeResult<void> exchange(KernelCalls& calls, const Spot& one, const Spot& other);

}  // namespace hearth::devices

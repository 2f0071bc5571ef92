#include "devices/linux/tree-files.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace hearth::devices {

namespace {

// The last and the first there are where a disk has times farther away (ext4 until 2446): a clock was wrong.
int64_t nanoseconds(const struct timespec& time) {
  constexpr int64_t NS_PER_S = 1'000'000'000, S_MAX = INT64_MAX / NS_PER_S - 1;
  if (time.tv_sec > S_MAX) return INT64_MAX;
  if (time.tv_sec < -S_MAX) return INT64_MIN;
  return time.tv_sec * NS_PER_S + time.tv_nsec;
}

// The same as openat2 with these promises, name by name. A link cannot slip in: none is opened as a directory.
Opened walkBeneath(int root, const FolderPath& directory, int flags) {
  struct stat found;
  if (fstat(root, &found) < 0) return no(lastError());
  auto disk = found.st_dev;
  auto at = openIn(root, ".", O_PATH | O_DIRECTORY);
  auto rest = std::string_view(directory.str());
  while (at && !rest.empty()) {
    auto slash = std::min(rest.find('/'), rest.size());
    auto name = std::string(rest.substr(0, slash));
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    auto next = openIn(at->get(), name, (rest.empty() ? flags : O_PATH) | O_DIRECTORY);
    if (!next) {
      auto error = next.error();
      bool isLink = fstatat(at->get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 &&
          S_ISLNK(found.st_mode);
      return no(isLink ? TreeError::LINKED : error);
    }
    if (fstat(next->get(), &found) < 0) return no(lastError());
    if (found.st_dev != disk) return no(TreeError::UNSUPPORTED);
    at = kj::mv(next);
  }
  if (directory.isFolder()) return openIn(root, ".", flags | O_DIRECTORY);
  return at;
}

// Whether the call itself is not there; EPERM is what some sandboxes say to what they do not know.
bool isNoCall(int error) { return error == ENOSYS || error == EPERM; }

}  // namespace

TreeError lastError() {
  switch (errno) {
    case ENOENT:
    case ENOTDIR:
      return TreeError::MISSING;
    case EEXIST:
    case EISDIR:
      return TreeError::CHANGED;
    case ENOTEMPTY:
      return TreeError::NOT_EMPTY;
    case ELOOP:
      return TreeError::LINKED;
    case EACCES:
    case EPERM:
    case EROFS:
    case EBUSY:
    case ETXTBSY:
      return TreeError::DENIED;
    case ENOSPC:
    case EDQUOT:
      return TreeError::FULL;
    case ENAMETOOLONG:
    case EILSEQ:
    case EINVAL:
    case EXDEV:
    case EFBIG:
    case EMLINK:
    case EOPNOTSUPP:
      return TreeError::UNSUPPORTED;
    case ENODEV:
    case ESTALE:
    case ENOTCONN:
      return TreeError::GONE;
    default:
      return TreeError::FAILED;
  }
}

Opened openIn(int directory, const std::string& name, int flags, mode_t mode) {
  int fd;
  do {
    fd = openat(directory, name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return no(lastError());
  return kj::AutoCloseFd(fd);
}

Opened openBeneath(KernelCalls& calls, int root, const FolderPath& directory, int flags) {
  if (!calls.openat2) return walkBeneath(root, directory, flags);
  struct open_how how = {};
  how.flags = static_cast<uint64_t>(flags) | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  auto name = directory.isFolder() ? "." : directory.str().c_str();
  constexpr int TRIES =
      16;  // EAGAIN: something was renamed meanwhile, and the kernel cannot say whether it led out
  for (int i = 0; i < TRIES; ++i) {
    auto fd = static_cast<int>(syscall(SYS_openat2, root, name, &how, sizeof(how)));
    if (fd >= 0) return kj::AutoCloseFd(fd);
    if (errno != EAGAIN && errno != EINTR) break;
  }
  if (errno == EAGAIN) return walkBeneath(root, directory, flags);
  if (isNoCall(errno)) {
    calls.openat2 = errno != ENOSYS;
    return walkBeneath(root, directory, flags);
  }
  return no(lastError());
}

FileState stateOf(const struct stat& found, dev_t disk) {
  using Kind = FileState::Kind;
  auto kind = S_ISREG(found.st_mode)                   ? Kind::FILE
      : S_ISLNK(found.st_mode)                         ? Kind::SYMLINK
      : S_ISDIR(found.st_mode) && found.st_dev == disk ? Kind::DIRECTORY
                                                       : Kind::OTHER;
  FileStamp stamp{found.st_ino};
  if (kind != Kind::DIRECTORY) {
    stamp.size = static_cast<uint64_t>(found.st_size);
    stamp.modifiedNs = nanoseconds(found.st_mtim);
    stamp.changedNs = nanoseconds(found.st_ctim);
  }
  return {kind, found.st_mode & 0777, stamp};
}

TreeResult<FileState> stateIn(int directory, const std::string& name, dev_t disk) {
  struct stat found;
  if (fstatat(directory, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) < 0) return no(lastError());
  return stateOf(found, disk);
}

bool isSame(const FileState& state, const FileStamp& expected) {
  return state.stamp.inode == expected.inode && state.stamp.size == expected.size &&
      state.stamp.modifiedNs == expected.modifiedNs;
}

TreeResult<void> renameToNew(KernelCalls& calls, const Spot& from, const Spot& to) {
  if (calls.renameat2) {
    if (renameat2(from.directory, from.name.c_str(), to.directory, to.name.c_str(),
            RENAME_NOREPLACE) == 0)
      return {};
    if (errno == ENOSYS) calls.renameat2 = false;
    if (errno != ENOSYS && errno != EINVAL) return no(lastError());
  }
  // A second name replaces nothing either. Directories have none, nor has anything on some file systems.
  if (linkat(from.directory, from.name.c_str(), to.directory, to.name.c_str(), 0) == 0) {
    if (unlinkat(from.directory, from.name.c_str(), 0) < 0) return no(lastError());
    return {};
  }
  if (errno == EEXIST || errno == ENOENT) return no(lastError());
  struct stat found;
  if (fstatat(to.directory, to.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0)
    return no(TreeError::CHANGED);
  if (renameat(from.directory, from.name.c_str(), to.directory, to.name.c_str()) < 0)
    return no(lastError());
  return {};
}

TreeResult<void> exchange(KernelCalls& calls, const Spot& one, const Spot& other) {
  if (!calls.renameat2) return no(TreeError::UNSUPPORTED);
  if (renameat2(one.directory, one.name.c_str(), other.directory, other.name.c_str(),
          RENAME_EXCHANGE) == 0)
    return {};
  if (errno == ENOSYS) calls.renameat2 = false;
  if (errno == ENOSYS || errno == EINVAL) return no(TreeError::UNSUPPORTED);
  return no(lastError());
}

}  // namespace hearth::devices

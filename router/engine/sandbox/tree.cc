// The files of a launch: sealed copies in memory for a static program, a read-only tree of its own
// for a dynamic one. What is hashed is what runs: the copy is made first and cannot change after.

#include "crypto/primitives/digest.h"
#include "router/engine/sandbox/launch-plan.h"

#include <algorithm>
#include <cerrno>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hearth::engine {

namespace {

constexpr size_t CHUNK_BYTES = 64 << 10;
// Mounted over in the child's own namespace: the one directory that is there in any case, since the
// maps of step 4 are in it.
constexpr const char* MOUNT_POINT = "/proc";

// Numbers that Debian 12's headers do not have yet.
constexpr unsigned NOEXEC_SEAL = 0x8;  // MFD_NOEXEC_SEAL
constexpr unsigned EXEC = 0x10;        // MFD_EXEC
constexpr int SEAL_EXEC = 0x20;        // F_SEAL_EXEC
constexpr int SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | SEAL_EXEC;
constexpr int SEALS_READ = SEALS | F_SEAL_FUTURE_WRITE;
static_assert(SEALS_READ == 0x3f);

int openSource(const LaunchPlan& plan, const PlannedFile& file) {
  if (plan.packed) return fcntl(plan.sourceFd, F_DUPFD_CLOEXEC, 0);
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(syscall(SYS_openat2, plan.sourceFd, file.path, &how, sizeof(how)));
}

int writeFully(int fd, const kj::byte* bytes, size_t size) {
  while (size > 0) {
    ssize_t n = write(fd, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes += n;
    size -= static_cast<size_t>(n);
  }
  return 0;
}

// Copies exactly the bytes that the manifest names and hashes what it has written.
int copyHashing(int from, const PlannedFile& file, int to, Digest& digest) {
  kj::byte chunk[CHUNK_BYTES];
  crypto::Digester digester;
  for (uint64_t done = 0; done < file.size;) {
    auto want = std::min<uint64_t>(sizeof(chunk), file.size - done);
    ssize_t n = pread(from, chunk, want, static_cast<off_t>(file.offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) break;  // shorter than it was: the digest will tell
    digester.update(kj::arrayPtr(chunk, static_cast<size_t>(n)));
    if (int error = writeFully(to, chunk, static_cast<size_t>(n))) return error;
    done += static_cast<uint64_t>(n);
  }
  digest = digester.finish();
  return 0;
}

int copyInto(const LaunchPlan& plan, const PlannedFile& file, int to, Digest& digest) {
  int from = openSource(plan, file);
  if (from < 0) return errno;
  int error = copyHashing(from, file, to, digest);
  close(from);
  return error;
}

int copyIntoTree(const LaunchPlan& plan, const PlannedFile& file, Errc& errc) {
  // The program may be executed but not read, which also keeps it from being traced or dumped.
  bool isProgram = file.role == FileRole::PROGRAM;
  mode_t mode = isProgram ? 0111 : file.role == FileRole::LIBRARY ? 0555 : 0444;
  int to = open(file.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (to < 0) return errno;
  Digest digest;
  int error = copyInto(plan, file, to, digest);
  close(to);
  if (error == 0 && digest != file.digest) {
    errc = Errc::INTEGRITY_FAILED;
    error = EBADMSG;
  }
  return error;
}

int fillTree(const LaunchPlan& plan, Errc& errc) {
  for (auto directory: plan.directories) {
    if (mkdir(directory, 0555) != 0) return errno;
  }
  for (auto& file: plan.files) {
    if (int error = copyIntoTree(plan, file, errc)) return error;
  }
  return 0;
}

// The tree becomes the root, and nothing else is left of the file system.
int enterTree() {
  if (mount(nullptr, MOUNT_POINT, nullptr, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, nullptr))
    return errno;
  // The working directory is the tree already; the old root lands on top of it and goes.
  if (syscall(SYS_pivot_root, ".", ".") != 0) return errno;
  if (umount2(".", MNT_DETACH) != 0) return errno;
  return chdir("/") == 0 ? 0 : errno;
}

int sealedCopy(
    const LaunchPlan& plan, const PlannedFile& file, unsigned flags, int& fd, Errc& errc) {
  fd = static_cast<int>(
      syscall(SYS_memfd_create, "plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags));
  if (fd < 0) return errno;
  Digest digest;
  if (int error = copyInto(plan, file, fd, digest)) return error;
  if (flags == EXEC && fchmod(fd, 0111) != 0) return errno;
  if (fcntl(fd, F_ADD_SEALS, SEALS) != 0) return errno;
  // The kernel adds FUTURE_WRITE where something is executable; only a full set is a sealed copy.
  int seals = fcntl(fd, F_GET_SEALS);
  if (flags == EXEC && seals != SEALS_READ) return EPERM;
  if ((seals & SEALS) != SEALS) return EPERM;
  if (digest != file.digest) {
    errc = Errc::INTEGRITY_FAILED;
    return EBADMSG;
  }
  return 0;
}

}  // namespace

int makeTree(const LaunchPlan& plan, LaunchFailure& failure) {
  failure.step = LaunchStep::TREE;
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return errno;
  if (mount("tmpfs", MOUNT_POINT, "tmpfs", MS_NOSUID | MS_NODEV, plan.treeOptions) != 0)
    return errno;
  if (chdir(MOUNT_POINT) != 0) return errno;
  if (plan.dynamic) {
    failure.step = LaunchStep::FILES;
    auto errc = Errc::SANDBOX_UNAVAILABLE;
    int error = fillTree(plan, errc);
    failure.errc = static_cast<uint16_t>(errc);
    if (error) return error;
  }
  failure.step = LaunchStep::TREE;
  return enterTree();
}

int sealProgram(const LaunchPlan& plan, int& programFd, Errc& errc) {
  for (auto& file: plan.files) {
    if (file.role == FileRole::PROGRAM) return sealedCopy(plan, file, EXEC, programFd, errc);
  }
  return ENOENT;
}

int sealModel(const LaunchPlan& plan, const PlannedFile& model, int& modelFd, Errc& errc) {
  return sealedCopy(plan, model, NOEXEC_SEAL, modelFd, errc);
}

}  // namespace hearth::engine

#include "devices/linux/open-files.h"

#include "devices/linux/file-extras.h"

#include <kj/debug.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace hearth::devices {

namespace {

TreeResult<size_t> readAt(int file, uint64_t offset, kj::ArrayPtr<kj::byte> out) {
  size_t done = 0;
  while (done < out.size()) {
    auto size =
        pread(file, out.begin() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return no(lastError());
    if (size == 0) break;
    done += static_cast<size_t>(size);
  }
  return done;
}

// The kernel takes its time from a clock that ticks every 1 to 10 ms; some file systems keep every second one alone.
bool isFresh(const FileStamp& stamp) {
  constexpr int64_t TICK = 10'000'000, SECOND = 1'000'000'000;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  auto tick = stamp.changedNs % SECOND == 0 ? 2 * SECOND : TICK;
  return stamp.changedNs + tick > now.tv_sec * SECOND + now.tv_nsec;
}

// Whether copy_file_range has not even begun: not between these two, or not on this kernel.
bool mustBeReadAndWritten(int error) {
  return error == EXDEV || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP ||
      error == EPERM || error == EBADF;
}

}  // namespace

TreeResult<size_t> LinuxReading::read(uint64_t offset, kj::ArrayPtr<kj::byte> out) {
  return readAt(file, offset, out);
}

TreeResult<FileState> LinuxReading::state() {
  struct stat found;
  if (fstat(file, &found) < 0) return no(lastError());
  auto state = stateOf(found, disk);
  state.isFresh = isFresh(state.stamp);
  return state;
}

TreeResult<FileAttributes> LinuxReading::attributes() { return readAttributes(file); }

TreeResult<size_t> LinuxStaged::read(uint64_t offset, kj::ArrayPtr<kj::byte> out) {
  if (runs.holds(offset, out.size())) {
    if (auto flushed = flush(); !flushed) return no(flushed.error());
  }
  return readAt(file, offset, out);
}

TreeResult<void> LinuxStaged::write(uint64_t offset, crypto::Bytes bytes) {
  unsynced.staged(name);
  return runs.write(offset, bytes);
}

TreeResult<void> LinuxStaged::copy(
    FileTree::Reading& from, uint64_t offset, uint64_t bytes, uint64_t to) {
  unsynced.staged(name);
  if (auto flushed = flush(); !flushed) return flushed;
  KJ_IF_MAYBE(reading, kj::dynamicDowncastIfAvailable<LinuxReading>(from)) {
    while (bytes > 0) {
      auto in = static_cast<off_t>(offset), out = static_cast<off_t>(to);
      auto size = copy_file_range(reading->fd(), &in, file, &out, bytes, 0);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && mustBeReadAndWritten(errno)) break;
      if (size < 0) return no(lastError());
      if (size == 0) return no(TreeError::CHANGED);  // it has become shorter
      auto done = static_cast<uint64_t>(size);
      offset += done, to += done, bytes -= done;
    }
  }
  constexpr uint64_t PIECE_BYTES = 256 << 10;
  auto piece = kj::heapArray<kj::byte>(std::min(bytes, PIECE_BYTES));
  while (bytes > 0) {
    auto wanted = piece.slice(0, std::min<uint64_t>(bytes, piece.size()));
    auto size = from.read(offset, wanted);
    if (!size) return no(size.error());
    if (*size < wanted.size()) return no(TreeError::CHANGED);
    auto written = write(to, wanted);
    if (!written) return written;
    offset += *size, to += *size, bytes -= *size;
  }
  return {};
}

TreeResult<FileAttributes> LinuxStaged::finish(uint64_t length, const FileAttributes& attributes) {
  unsynced.staged(name);
  if (auto flushed = flush(); !flushed) return no(flushed.error());
  struct stat found;
  if (fstat(file, &found) < 0) return no(lastError());
  auto size = static_cast<off_t>(length);
  if (found.st_size != size && ftruncate(file, size) < 0) return no(lastError());
  return writeAttributes(file, attributes);
}

// Looked at before it is opened: opening a device can set it in motion, and opening a pipe waits.
TreeResult<kj::Own<LinuxReading>> openToRead(int directory, const std::string& name, dev_t disk) {
  auto state = stateIn(directory, name, disk);
  if (!state) return no(state.error());
  if (state->kind == FileState::Kind::SYMLINK) return no(TreeError::LINKED);
  if (state->kind != FileState::Kind::FILE) return no(TreeError::CHANGED);
  auto file = openIn(directory, name, O_RDONLY | O_NONBLOCK);
  if (!file) return no(file.error());
  struct stat opened;
  if (fstat(*file, &opened) < 0) return no(lastError());
  if (!S_ISREG(opened.st_mode)) return no(TreeError::CHANGED);
  return kj::heap<LinuxReading>(kj::mv(*file), disk);
}

Opened openToStage(int directory, const std::string& name) {
  constexpr int FLAGS = O_RDWR | O_CREAT | O_NONBLOCK;
  constexpr mode_t MODE =
      0644;  // what most files have in the end; the directory is for nobody else
  auto file = openIn(directory, name, FLAGS, MODE);
  // It was finished, and who may not write there is its owner, too.
  if (!file && file.error() == TreeError::DENIED) {
    if (fchmodat(directory, name.c_str(), 0600, 0) < 0) return no(lastError());
    file = openIn(directory, name, FLAGS, MODE);
  }
  struct stat found;
  if (file && fstat(*file, &found) < 0) return no(lastError());
  bool isOurs = file && S_ISREG(found.st_mode) && found.st_nlink == 1;
  if (isOurs) return file;
  if (file || file.error() == TreeError::LINKED || file.error() == TreeError::CHANGED) {
    if (unlinkat(directory, name.c_str(), 0) < 0) return no(lastError());
    file = openIn(directory, name, FLAGS | O_EXCL, MODE);
  }
  return file;
}

}  // namespace hearth::devices

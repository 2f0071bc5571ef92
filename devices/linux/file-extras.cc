#include "devices/linux/file-extras.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <linux/limits.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace hearth::devices {

namespace {

// ACLs, capabilities and what security modules write are this machine's own affair.
constexpr std::string_view OF_THE_USER = "user.";

using Extended = std::map<std::string, std::string>;

// Names one after another, each with a zero at its end. Nothing where the file system has none.
std::string namesOf(int file) {
  std::string names(1024, '\0');
  auto size = flistxattr(file, names.data(), names.size());
  if (size < 0 && errno == ERANGE) {
    names.resize(XATTR_LIST_MAX);
    size = flistxattr(file, names.data(), names.size());
  }
  names.resize(size < 0 ? 0 : static_cast<size_t>(size));
  return names;
}

std::vector<std::string> userNamesOf(int file) {
  std::vector<std::string> all;
  auto names = namesOf(file);
  for (size_t at = 0; at < names.size();) {
    auto end = std::min(names.find('\0', at), names.size());
    auto name = names.substr(at, end - at);
    if (name.starts_with(OF_THE_USER)) all.push_back(kj::mv(name));
    at = end + 1;
  }
  std::sort(all.begin(), all.end());
  return all;
}

kj::Maybe<std::string> valueOf(int file, const std::string& name) {
  std::string value(FileAttributes::EXTENDED_BYTES_MAX, '\0');
  auto size = fgetxattr(file, name.c_str(), value.data(), value.size());
  if (size < 0) return nullptr;  // larger, or gone
  value.resize(static_cast<size_t>(size));
  return value;
}

Extended readExtended(int file) {
  Extended found;
  size_t bytes = 0;
  for (auto& name: userNamesOf(file)) {
    KJ_IF_MAYBE(value, valueOf(file, name)) {
      auto more = name.size() + value->size();
      bool fits = found.size() < FileAttributes::EXTENDED_MAX &&
          bytes + more <= FileAttributes::EXTENDED_BYTES_MAX;
      if (!fits) continue;
      bytes += more;
      found[name] = kj::mv(*value);
    }
  }
  return found;
}

// Returns what is there then.
Extended writeExtended(int file, const Extended& wanted) {
  auto there = readExtended(file);
  if (there == wanted) return there;
  for (auto& [name, value]: there) {
    if (!wanted.contains(name)) fremovexattr(file, name.c_str());
  }
  for (auto& [name, value]: wanted) {
    auto found = there.find(name);
    bool isNew = found == there.end() || found->second != value;
    if (isNew && name.starts_with(OF_THE_USER))
      fsetxattr(file, name.c_str(), value.data(), value.size(), 0);
  }
  return readExtended(file);
}

// For futimens(): when it was read stays as it is.
struct Times {
  struct timespec both[2];

  explicit Times(int64_t modifiedNs) {
    constexpr int64_t NS_PER_S = 1'000'000'000;
    auto seconds = modifiedNs / NS_PER_S, ns = modifiedNs % NS_PER_S;
    if (ns < 0) --seconds, ns += NS_PER_S;  // before 1970
    both[0] = {0, UTIME_OMIT};
    both[1] = {seconds, ns};
  }
};

// Whether the last system call failed since the file system has no such thing: then it is refused to the file's owner.
bool isLeftOut(int file) {
  if (errno == EOPNOTSUPP || errno == EINVAL) return true;
  if (errno != EPERM) return false;
  struct stat found;
  bool isOwner = fstat(file, &found) == 0 && found.st_uid == geteuid();
  errno = EPERM;
  return isOwner;
}

}  // namespace

TreeResult<FileAttributes> readAttributes(int file) {
  struct stat found;
  if (fstat(file, &found) < 0) return no(lastError());
  auto state = stateOf(found, found.st_dev);
  return FileAttributes{state.mode, state.stamp.modifiedNs, readExtended(file)};
}

TreeResult<FileAttributes> writeAttributes(int file, const FileAttributes& attributes) {
  auto extended = writeExtended(file, attributes.extended);
  struct stat found;
  if (fstat(file, &found) < 0) return no(lastError());
  bool hasMode = (found.st_mode & 0777) == (attributes.mode & 0777);
  if (!hasMode && fchmod(file, attributes.mode & 0777) < 0 && !isLeftOut(file))
    return no(lastError());
  if (futimens(file, Times(attributes.modifiedNs).both) < 0 && !isLeftOut(file))
    return no(lastError());
  if (fstat(file, &found) < 0) return no(lastError());
  auto state = stateOf(found, found.st_dev);
  return FileAttributes{state.mode, state.stamp.modifiedNs, kj::mv(extended)};
}

TreeResult<void> writeTime(int directory, const std::string& name, int64_t modifiedNs) {
  Times times(modifiedNs);
  if (utimensat(directory, name.c_str(), times.both, AT_SYMLINK_NOFOLLOW) < 0)
    return no(lastError());
  return {};
}

}  // namespace hearth::devices

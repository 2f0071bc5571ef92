#include "tests/devices/folders/disk-owner.h"

#include <kj/debug.h>

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace hearth::storage {

namespace {

namespace fs = std::filesystem;

std::string newDirectory(std::string below) {
  auto temporary = std::getenv("TMPDIR");  // so that all of it can be run on another file system
  if (below.empty()) below = temporary == nullptr ? "/tmp" : temporary;
  auto name = below + "/hearth-folder-XXXXXX";
  KJ_REQUIRE(mkdtemp(name.data()) != nullptr, "no directory for a test");
  return name;
}

std::string contentOf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void writeFile(const std::string& path, const std::string& bytes, int flags) {
  int fd;
  KJ_SYSCALL(fd = ::open(path.c_str(), O_WRONLY | O_CREAT | flags, 0644));
  KJ_SYSCALL(write(fd, bytes.data(), bytes.size()));
  ::close(fd);
}

}  // namespace

DiskOwner::DiskOwner(std::string below): root(newDirectory(kj::mv(below))) {}

DiskOwner::~DiskOwner() {
  for (auto& [path, fd]: open) ::close(fd);
  std::error_code ignored;
  fs::remove_all(root, ignored);
}

std::string DiskOwner::made(const std::string& path) const {
  fs::create_directories(fs::path(at(path)).parent_path());
  return at(path);
}

void DiskOwner::write(const std::string& path, const std::string& bytes) {
  writeFile(made(path), bytes, O_TRUNC);
}

void DiskOwner::append(const std::string& path, const std::string& bytes) {
  writeFile(made(path), bytes, O_APPEND);
}

void DiskOwner::writeOn(const std::string& path, const std::string& bytes) {
  int fd;
  KJ_SYSCALL(fd = ::open(made(path).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  KJ_SYSCALL(::write(fd, bytes.data(), bytes.size()));
  open[path] = fd;
}

void DiskOwner::close(const std::string& path) {
  ::close(open.at(path));
  open.erase(path);
}

void DiskOwner::replace(const std::string& path, const std::string& bytes) {
  auto target = made(path);
  writeFile(target + ".saving", bytes, O_TRUNC);
  fs::rename(target + ".saving", target);
}

void DiskOwner::makeDirectory(const std::string& path) { fs::create_directories(at(path)); }

void DiskOwner::link(const std::string& path, const std::string& target) {
  fs::create_symlink(target, made(path));
}

void DiskOwner::makeSpecial(const std::string& path) {
  KJ_SYSCALL(mkfifo(made(path).c_str(), 0644));
}

void DiskOwner::remove(const std::string& path) {
  KJ_REQUIRE(fs::remove_all(at(path)) > 0, "nothing to remove", path.c_str());
}

void DiskOwner::rename(const std::string& from, const std::string& to) {
  fs::rename(at(from), made(to));
}

void DiskOwner::setAttributes(const std::string& path, const FileAttributes& attributes) {
  constexpr int64_t NS_PER_S = 1'000'000'000;
  auto name = at(path);
  for (auto& [key, value]: attributes.extended)
    KJ_SYSCALL(setxattr(name.c_str(), key.c_str(), value.data(), value.size(), 0));
  KJ_SYSCALL(chmod(name.c_str(), attributes.mode));
  struct timespec times[2] = {
      {0, UTIME_OMIT}, {attributes.modifiedNs / NS_PER_S, attributes.modifiedNs % NS_PER_S}};
  KJ_SYSCALL(utimensat(AT_FDCWD, name.c_str(), times, 0));
}

kj::Maybe<std::string> DiskOwner::read(const std::string& path) const {
  if (!fs::is_regular_file(fs::symlink_status(at(path)))) return nullptr;
  return contentOf(at(path));
}

std::map<std::string, std::string> DiskOwner::everything() const {
  std::map<std::string, std::string> all;
  for (auto found = fs::recursive_directory_iterator(root); found != fs::end(found); ++found) {
    auto name = found->path().string().substr(root.size() + 1);
    auto status = found->symlink_status();
    if (name == FolderPath::OWN) {
      found.disable_recursion_pending();
    } else if (fs::is_directory(status)) {
      all[name + "/"] = "";
    } else if (fs::is_symlink(status)) {
      all[name] = "-> " + fs::read_symlink(found->path()).string();
    } else {
      all[name] = fs::is_regular_file(status) ? contentOf(found->path()) : "?";
    }
  }
  return all;
}

}  // namespace hearth::storage

#include "devices/linux/linux-file-tree.h"

#include "devices/linux/open-files.h"

#include <kj/debug.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace hearth::devices {

namespace {

struct Name {
  ino_t inode;
  std::string name;
};

// In the order of inodes, in which a disk with heads has them, too.
TreeResult<std::vector<Name>> namesIn(kj::AutoCloseFd directory) {
  auto listing = fdopendir(directory);
  if (listing == nullptr) return no(lastError());
  directory.release();
  KJ_DEFER(closedir(listing));
  std::vector<Name> names;
  while (true) {
    errno = 0;
    auto entry = readdir(listing);
    if (entry == nullptr && errno != 0) return no(lastError());
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back({entry->d_ino, kj::mv(name)});
  }
  std::sort(names.begin(), names.end(), [](auto& a, auto& b) { return a.inode < b.inode; });
  return names;
}

std::string nameForStaged(std::string_view name) {
  KJ_REQUIRE(FolderPath().child(name).has_value(), "no name for a file under way");
  return std::string(name);
}

}  // namespace

TreeResult<kj::Own<LinuxFileTree>> LinuxFileTree::open(
    const std::string& path, const FolderId& id) {
  char real[PATH_MAX];
  if (realpath(path.c_str(), real) == nullptr)
    return no(lastError() == TreeError::DENIED ? TreeError::DENIED : TreeError::GONE);
  auto tree = kj::heap<LinuxFileTree>(FolderRoot(real, id));
  auto cleared = tree->clearAside();
  if (!cleared) return no(cleared.error());
  return tree;
}

FolderResult<kj::Own<LinuxFileTree>> LinuxFileTree::create(
    const std::string& path, const FolderId& id) {
  auto marked = markFolder(path, id);
  if (!marked) return std::unexpected(marked.error());
  auto tree = open(*marked, id);
  if (!tree) return std::unexpected(NotAFolder{tree.error(), *marked});
  return kj::mv(*tree);
}

// What a crash left there was to be removed, or is in its place already.
TreeResult<void> LinuxFileTree::clearAside() {
  auto visit = root.visitToChange();
  if (!visit) return no(visit.error());
  KJ_DEFER(root.leave());
  auto listed = openIn((*visit)->aside, ".", O_RDONLY | O_DIRECTORY);
  if (!listed) return no(listed.error());
  auto names = namesIn(kj::mv(*listed));
  if (!names) return no(names.error());
  for (auto& name: *names) unlinkat((*visit)->aside, name.name.c_str(), 0);
  return {};
}

TreeResult<std::vector<FileTree::Listed>> LinuxFileTree::list(const FolderPath& directory) {
  auto visit = root.visit();
  if (!visit) return no(visit.error());
  auto all = listedIn((*visit)->folder, directory, (*visit)->disk);
  if (all && directory.isFolder())
    std::erase_if(*all, [](auto& listed) { return listed.name == FolderPath::OWN; });
  return all;
}

TreeResult<std::vector<FileTree::Listed>> LinuxFileTree::listedIn(
    int above, const FolderPath& directory, dev_t disk) {
  auto opened = openBeneath(calls, above, directory, O_RDONLY);
  if (!opened) return no(opened.error());
  auto listed = openIn(*opened, ".", O_PATH | O_DIRECTORY);
  if (!listed) return no(listed.error());
  auto names = namesIn(kj::mv(*opened));
  if (!names) return no(names.error());
  std::vector<Listed> all;
  all.reserve(names->size());
  for (auto& [inode, name]: *names) {
    auto state = stateIn(*listed, name, disk);
    if (!state && state.error() == TreeError::MISSING) continue;  // gone meanwhile
    if (!state) return no(state.error());
    all.push_back({kj::mv(name), *state});
  }
  return all;
}

// The name is not looked up yet.
TreeResult<LinuxFileTree::Place> LinuxFileTree::find(const FolderPath& path) {
  auto visit = root.visit();
  if (!visit) return no(visit.error());
  return find(kj::mv(*visit), path);
}

TreeResult<LinuxFileTree::Place> LinuxFileTree::find(Visiting visit, const FolderPath& path) {
  auto directory = openBeneath(calls, visit->folder, path.directory(), O_PATH);
  if (!directory) return no(directory.error());
  return Place{kj::mv(visit), kj::mv(*directory), std::string(path.name())};
}

TreeResult<FileState> LinuxFileTree::state(const FolderPath& path) {
  if (path.isFolder()) {
    auto visit = root.visit();
    if (!visit) return no(visit.error());
    return stateIn((*visit)->folder, ".", (*visit)->disk);
  }
  auto place = find(path);
  if (!place) return no(place.error());
  return place->look();
}

TreeResult<kj::Own<FileTree::Reading>> LinuxFileTree::open(const FolderPath& path) {
  auto place = find(path);
  if (!place) return no(place.error());
  auto opened = openToRead(place->directory, place->name, place->visit->disk);
  if (!opened) return no(opened.error());
  return kj::Own<Reading>(kj::mv(*opened));
}

TreeResult<std::string> LinuxFileTree::target(const FolderPath& link) {
  auto place = find(link);
  if (!place) return no(place.error());
  std::string target(PATH_MAX, '\0');
  auto size = readlinkat(place->directory, place->name.c_str(), target.data(), target.size());
  if (size < 0) return no(errno == EINVAL ? TreeError::CHANGED : lastError());
  target.resize(static_cast<size_t>(size));
  return target;
}

TreeResult<kj::Own<FileTree::Staged>> LinuxFileTree::stage(std::string_view text) {
  auto name = nameForStaged(text);
  auto visit = root.visitToChange();
  if (!visit) return no(visit.error());
  auto file = openToStage((*visit)->staged, name);
  if (!file) return no(file.error());
  unsynced.staged(name);
  return kj::Own<Staged>(kj::heap<LinuxStaged>(kj::mv(*file), unsynced, kj::mv(name)));
}

TreeResult<std::vector<std::string>> LinuxFileTree::staged() {
  auto visit = root.visit();
  if (!visit) return no(visit.error());
  auto directory = openIn((*visit)->own, FolderRoot::STAGED, O_RDONLY | O_DIRECTORY);
  std::vector<std::string> all;
  if (!directory && directory.error() == TreeError::MISSING) return all;
  if (!directory) return no(directory.error());
  auto names = namesIn(kj::mv(*directory));
  if (!names) return no(names.error());
  for (auto& name: *names) all.push_back(kj::mv(name.name));
  return all;
}

TreeResult<void> LinuxFileTree::dropStaged(std::string_view text) {
  auto name = nameForStaged(text);
  auto visit = root.visitToChange();
  if (!visit) return no(visit.error());
  if (unlinkat((*visit)->staged, name.c_str(), 0) < 0) return no(lastError());
  unsynced.noLongerStaged(name);
  return {};
}

TreeResult<void> LinuxFileTree::sync() {
  root.renew();
  auto visit = root.visit();
  if (!visit) return no(visit.error());
  return unsynced.sync(calls, **visit);
}

TreeResult<uint64_t> LinuxFileTree::room() {
  auto visit = root.visit();
  if (!visit) return no(visit.error());
  struct statvfs disk;
  if (fstatvfs((*visit)->own, &disk) < 0) return no(lastError());
  return uint64_t{disk.f_bavail} * disk.f_frsize;
}

}  // namespace hearth::devices

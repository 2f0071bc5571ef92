#include "devices/linux/folder-root.h"

#include <kj/encoding.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace hearth::devices {

namespace {

constexpr auto OWN = ".hearth", MARK = "folder", MARK_MADE = "folder.new";
constexpr size_t HEX_DIGITS = 2 * FolderId::SIZE;

kj::Maybe<FolderId> readMark(int own) {
  auto file = openIn(own, MARK, O_RDONLY | O_NONBLOCK);
  if (!file) return nullptr;
  char text[HEX_DIGITS + 2];
  auto size = read(*file, text, sizeof(text));
  if (size != HEX_DIGITS && !(size == HEX_DIGITS + 1 && text[HEX_DIGITS] == '\n')) return nullptr;
  auto bytes = kj::decodeHex(kj::arrayPtr(text, HEX_DIGITS));
  if (bytes.hadErrors) return nullptr;
  auto id = FolderId::from(bytes);
  if (!id) return nullptr;
  return *id;
}

// Of the folder that this directory is; none: it is no folder.
kj::Maybe<FolderId> folderAt(int directory) {
  auto own = openIn(directory, OWN, O_PATH | O_DIRECTORY);
  if (!own) return nullptr;
  return readMark(*own);
}

kj::Maybe<std::string> folderAround(const std::string& path) {
  for (auto at = path; at.size() > 1;) {
    at.resize(std::max<size_t>(at.rfind('/'), 1));
    auto directory = openIn(AT_FDCWD, at, O_PATH | O_DIRECTORY);
    if (directory && folderAt(*directory) != nullptr) return at;
  }
  return nullptr;
}

bool isOnDisk(int file, dev_t disk) {
  struct stat found;
  return fstat(file, &found) == 0 && found.st_dev == disk;
}

// Any below; what is on another disk or deeper than every path of the folder is none of its own.
kj::Maybe<std::string> folderWithin(
    int above, dev_t disk, const std::string& path, size_t depth = 0) {
  auto fd = openIn(above, ".", O_RDONLY | O_DIRECTORY);
  if (!fd || !isOnDisk(*fd, disk) || depth == FolderPath::DEPTH_MAX) return nullptr;
  auto listing = fdopendir(fd->release());
  if (listing == nullptr) return nullptr;
  KJ_DEFER(closedir(listing));
  while (auto entry = readdir(listing)) {
    std::string name = entry->d_name;
    if (name == "." || name == ".." || name == OWN) continue;
    if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) continue;
    auto child = openIn(dirfd(listing), name, O_PATH | O_DIRECTORY);
    if (!child) continue;
    auto childPath = path + "/" + name;
    if (folderAt(*child) != nullptr) return childPath;
    KJ_IF_MAYBE(found, folderWithin(*child, disk, childPath, depth + 1)) return kj::mv(*found);
  }
  return nullptr;
}

TreeResult<void> makeOwn(int directory, const char* name) {
  if (mkdirat(directory, name, 0700) < 0 && errno != EEXIST) return no(lastError());
  auto made = openIn(directory, name, O_RDONLY | O_DIRECTORY);  // not through a link
  if (!made) return no(made.error() == TreeError::MISSING ? TreeError::CHANGED : made.error());
  if (fchmod(*made, 0700) < 0) return no(lastError());
  return {};
}

TreeResult<void> writeMark(int own, const FolderId& id) {
  auto file = openIn(own, MARK_MADE, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, 0600);
  if (!file) return no(file.error());
  auto text = kj::str(kj::encodeHex(id.asBytes()), "\n");
  if (write(*file, text.begin(), text.size()) != static_cast<ssize_t>(text.size()))
    return no(TreeError::FULL);
  if (fsync(*file) < 0 || renameat(own, MARK_MADE, own, MARK) < 0) return no(lastError());
  return {};
}

TreeResult<void> syncDirectory(int directory, const char* name) {
  auto opened = openIn(directory, name, O_RDONLY | O_DIRECTORY);
  if (!opened) return no(opened.error());
  if (fsync(*opened) < 0) return no(lastError());
  return {};
}

TreeResult<void> markDirectory(int directory, const FolderId& id) {
  auto made = makeOwn(directory, OWN);
  if (!made) return made;
  auto own = openIn(directory, OWN, O_PATH | O_DIRECTORY);
  if (!own) return no(own.error());
  for (auto name: {FolderRoot::STAGED, FolderRoot::VERSIONS, FolderRoot::ASIDE}) {
    made = makeOwn(*own, name);
    if (!made) return made;
  }
  made = writeMark(*own, id);
  if (!made) return made;
  made = syncDirectory(directory, OWN);
  if (!made) return made;
  return syncDirectory(directory, ".");
}

// One of Hearth's own directories. Somebody may have tidied it up: the mark is what the folder is known by.
Opened openOwn(int own, const char* name) {
  auto opened = openIn(own, name, O_PATH | O_DIRECTORY);
  if (opened || opened.error() != TreeError::MISSING) return opened;
  if (mkdirat(own, name, 0700) < 0) return no(lastError());
  return openIn(own, name, O_PATH | O_DIRECTORY);
}

bool isSameFile(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
      memcmp(&a.st_mtim, &b.st_mtim, sizeof(a.st_mtim)) == 0 &&
      memcmp(&a.st_ctim, &b.st_ctim, sizeof(a.st_ctim)) == 0;
}

}  // namespace

TreeResult<FolderRoot::Visiting> FolderRoot::visit() {
  if (isHeld && batch != nullptr) return batch;
  auto begun = begin();
  if (!begun) return no(begun.error());
  if (isHeld) batch = *begun;
  return kj::mv(*begun);
}

TreeResult<FolderRoot::Visiting> FolderRoot::visitToChange() {
  if (batch != nullptr && batch->aside.get() >= 0) return batch;
  auto begun = batch == nullptr ? begin() : TreeResult<std::shared_ptr<Visit>>(batch);
  if (!begun) return no(begun.error());
  auto& visit = **begun;
  for (auto [name, opened]:
      {std::pair(STAGED, &visit.staged), {VERSIONS, &visit.versions}, {ASIDE, &visit.aside}}) {
    auto directory = openOwn(visit.own, name);
    if (!directory) return no(directory.error());
    *opened = kj::mv(*directory);
  }
  batch = kj::mv(*begun);
  return batch;
}

TreeResult<std::shared_ptr<FolderRoot::Visit>> FolderRoot::begin() {
  auto goneUnlessDenied = [](TreeError error) {
    return no(error == TreeError::DENIED || error == TreeError::FAILED ? error : TreeError::GONE);
  };
  auto folder = openIn(AT_FDCWD, path, O_PATH | O_DIRECTORY);
  if (!folder) return goneUnlessDenied(folder.error());
  auto own = openIn(*folder, OWN, O_PATH | O_DIRECTORY);
  if (!own) return goneUnlessDenied(own.error());
  struct stat found;
  if (fstatat(*own, MARK, &found, AT_SYMLINK_NOFOLLOW) < 0) return goneUnlessDenied(lastError());
  if (!isSameFile(found, mark) && !isMark(*own, found)) return no(TreeError::GONE);
  auto visit = std::make_shared<Visit>();
  visit->folder = kj::mv(*folder);
  visit->own = kj::mv(*own);
  visit->disk = found.st_dev;
  return visit;
}

bool FolderRoot::isMark(int own, const struct stat& found) {
  KJ_IF_MAYBE(marked, readMark(own)) {
    if (*marked != id) return false;
    mark = found;
    return true;
  }
  return false;
}

kj::String describe(const NotAFolder& why) {
  return kj::str(why.where.c_str(), ": ", storage::describe(why.error));
}

FolderResult<std::string> markFolder(const std::string& path, const FolderId& id) {
  auto refuse = [](TreeError error, std::string where) {
    return std::unexpected(NotAFolder{error, kj::mv(where)});
  };
  char real[PATH_MAX];
  if (realpath(path.c_str(), real) == nullptr) return refuse(lastError(), path);
  auto directory = openIn(AT_FDCWD, real, O_PATH | O_DIRECTORY);
  if (!directory) return refuse(directory.error(), real);
  auto there = folderAt(*directory);
  KJ_IF_MAYBE(marked, there) {
    if (*marked != id) return refuse(TreeError::TAKEN, real);
  }
  KJ_IF_MAYBE(around, folderAround(real)) return refuse(TreeError::TAKEN, *around);
  struct stat found;
  if (fstat(*directory, &found) < 0) return refuse(lastError(), real);
  KJ_IF_MAYBE(within, folderWithin(*directory, found.st_dev, real))
    return refuse(TreeError::TAKEN, *within);
  auto marked = markDirectory(*directory, id);
  if (!marked) return refuse(marked.error(), real);
  return std::string(real);
}

}  // namespace hearth::devices

// What of LinuxFileTree changes what the owner sees.
#include "devices/linux/file-extras.h"
#include "devices/linux/linux-file-tree.h"
#include "devices/linux/open-files.h"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace hearth::devices {

using Kind = FileState::Kind;

namespace {

// Whether two names in one directory are one to the file system, and not two of a file with many.
bool isOneName(const Spot& one, const Spot& other) {
  struct stat first, second;
  if (one.name == other.name) return false;
  if (fstatat(one.directory, one.name.c_str(), &first, AT_SYMLINK_NOFOLLOW) < 0) return false;
  if (fstatat(other.directory, other.name.c_str(), &second, AT_SYMLINK_NOFOLLOW) < 0) return false;
  return first.st_dev == second.st_dev && first.st_ino == second.st_ino &&
      (S_ISDIR(first.st_mode) || first.st_nlink == 1);
}

}  // namespace

// The place, if there is what is expected.
TreeResult<LinuxFileTree::Place> LinuxFileTree::expect(const FolderPath& path, Expect expected) {
  auto visit = root.visitToChange();
  if (!visit) return no(visit.error());
  auto place = find(kj::mv(*visit), path);
  if (!place) return no(place.error());
  auto found = place->look();
  if (!found && found.error() != TreeError::MISSING) return no(found.error());
  if (found.has_value() != (expected != nullptr)) return no(TreeError::CHANGED);
  if (!found) return place;
  if (found->stamp != *expected) return no(TreeError::CHANGED);
  return place;
}

TreeResult<FileState> LinuxFileTree::place(
    std::string_view stagedName, const FolderPath& path, Expect expected, Keep keep) {
  auto to = expect(path, expected);
  if (!to) return no(to.error());
  auto placed = bring({to->visit->staged, std::string(stagedName)}, *to, expected, keep);
  if (!placed) return placed;
  unsynced.placed(std::string(stagedName), path.directory());
  return placed;
}

TreeResult<FileState> LinuxFileTree::placeLink(
    const std::string& target, const FolderPath& path, Expect expected, Keep keep) {
  if (!isTarget(target)) return no(TreeError::UNSUPPORTED);
  auto to = expect(path, expected);
  if (!to) return no(to.error());
  auto made = aside(*to->visit);
  if (symlinkat(target.c_str(), made.directory, made.name.c_str()) < 0) return no(lastError());
  auto placed = bring(made, *to, expected, keep);
  if (!placed) {
    unlinkat(made.directory, made.name.c_str(), 0);
    return placed;
  }
  unsynced.changed(path.directory());
  return placed;
}

// Returns what is there then, if it is what came.
TreeResult<FileState> LinuxFileTree::bring(
    const Spot& from, const Place& to, Expect expected, Keep keep) {
  auto ours = stateIn(from.directory, from.name, to.visit->disk);
  if (!ours) return ours;
  beforeChange();
  auto brought = expected == nullptr ? renameToNew(calls, from, to.spot())
                                     : replace(from, to, *expected, keep);
  if (!brought) return no(brought.error());
  auto now = to.look();
  if (!now || !isSame(*now, ours->stamp)) return no(TreeError::CHANGED);  // the owner was quick
  return now;
}

// On its way what comes stands where what leaves shall be kept: so the exchange brings that there at once, and no
// crash finds it elsewhere. One before it leaves what came there, a version too many.
TreeResult<void> LinuxFileTree::replace(
    const Spot& from, const Place& to, const FileStamp& expected, Keep keep) {
  if (keep == nullptr) {
    auto swapped = swap(from, to, expected);
    if (!swapped && swapped.error() == TreeError::UNSUPPORTED)
      return replaceUnexchanged(from, to, expected, keep);
    if (swapped && unlinkat(from.directory, from.name.c_str(), 0) < 0) return no(lastError());
    return swapped;
  }
  auto shelf = shelfFor(*to.visit, keep);
  if (!shelf) return no(shelf.error());
  auto shelved = renameToNew(calls, from, shelf->spot());
  if (!shelved) return shelved;
  auto swapped = swap(shelf->spot(), to, expected);
  if (swapped) return swapped;
  auto back = renameToNew(calls, shelf->spot(), from);
  if (!back) return back;
  if (swapped.error() != TreeError::UNSUPPORTED) return swapped;
  return replaceUnexchanged(from, to, expected, keep);
}

TreeResult<void> LinuxFileTree::swap(
    const Spot& ours, const Place& theirs, const FileStamp& expected) {
  auto before = stateIn(ours.directory, ours.name, theirs.visit->disk);
  if (!before) return no(before.error());
  auto swapped = exchange(calls, ours, theirs.spot());
  if (!swapped)
    return no(swapped.error() == TreeError::MISSING ? TreeError::CHANGED : swapped.error());
  auto came = stateIn(ours.directory, ours.name, theirs.visit->disk);
  bool isExpected = came && came->kind != Kind::DIRECTORY && isSame(*came, expected);
  if (isExpected) return {};
  auto back = exchange(calls, ours, theirs.spot());
  if (!back) return no(TreeError::CHANGED);
  // Whoever saved the file anew in this moment replaced ours: that is what is to be seen.
  auto returned = stateIn(ours.directory, ours.name, theirs.visit->disk);
  if (returned && returned->stamp.inode != before->stamp.inode)
    (void)exchange(calls, ours, theirs.spot());
  return no(TreeError::CHANGED);
}

TreeResult<void> LinuxFileTree::replaceUnexchanged(
    const Spot& from, const Place& to, const FileStamp& expected, Keep keep) {
  auto found = to.look();
  bool isExpected = found && found->kind != Kind::DIRECTORY && isSame(*found, expected);
  if (!isExpected) return no(TreeError::CHANGED);
  auto replaced = [&]() {
    return renameat(from.directory, from.name.c_str(), to.directory, to.name.c_str()) == 0;
  };
  if (keep == nullptr) return replaced() ? TreeResult<void>() : no(lastError());
  auto shelf = shelfFor(*to.visit, keep);
  if (!shelf) return no(shelf.error());
  // A second name first, and where there is none a moment without the file.
  bool isLinked =
      linkat(to.directory, to.name.c_str(), shelf->directory, shelf->name.c_str(), 0) == 0;
  if (!isLinked && errno == EEXIST) return no(TreeError::CHANGED);
  auto taken = isLinked ? TreeResult<void>() : take(to, shelf->spot(), expected);
  if (!taken || replaced()) return taken;
  auto error = lastError();
  if (isLinked) {
    unlinkat(shelf->directory, shelf->name.c_str(), 0);
  } else {
    (void)renameToNew(calls, shelf->spot(), to.spot());
  }
  return no(error);
}

// Moves what is expected; whatever else was found goes back.
TreeResult<void> LinuxFileTree::take(const Place& from, const Spot& to, const FileStamp& expected) {
  auto taken = renameToNew(calls, from.spot(), to);
  if (!taken) return no(taken.error() == TreeError::MISSING ? TreeError::CHANGED : taken.error());
  auto found = stateIn(to.directory, to.name, from.visit->disk);
  if (found && isSame(*found, expected)) return {};
  (void)renameToNew(calls, to, from.spot());
  return no(TreeError::CHANGED);
}

TreeResult<FileState> LinuxFileTree::makeDirectory(const FolderPath& path, uint32_t mode) {
  auto place = expect(path, nullptr);
  if (!place) return no(place.error());
  beforeChange();
  if (mkdirat(place->directory, place->name.c_str(), 0700) < 0) return no(lastError());
  unsynced.changed(path.directory());
  auto made = openIn(place->directory, place->name, O_RDONLY | O_DIRECTORY);
  if (!made) return no(made.error());
  fchmod(*made, mode & 0777);  // where there are permissions
  struct stat found;
  if (fstat(*made, &found) < 0) return no(lastError());
  return stateOf(found, place->visit->disk);
}

TreeResult<FileState> LinuxFileTree::move(
    const FolderPath& from, const FileStamp& expected, const FolderPath& to) {
  auto source = expect(from, &expected);
  if (!source) return no(source.error());
  auto target = find(source->visit, to);
  if (!target) return no(target.error());
  beforeChange();
  if (isOneName(source->spot(), target->spot())) {
    if (renameat(source->directory, source->name.c_str(), target->directory, target->name.c_str()) <
        0)
      return no(lastError());
  } else {
    auto taken = take(*source, target->spot(), expected);
    if (!taken) return no(taken.error());
  }
  unsynced.changed(from.directory());
  unsynced.changed(to.directory());
  return target->look();
}

TreeResult<void> LinuxFileTree::remove(
    const FolderPath& path, const FileStamp& expected, Keep keep) {
  auto place = expect(path, &expected);
  if (!place) return no(place.error());
  auto found = place->look();
  if (!found || found->kind == Kind::DIRECTORY) return no(TreeError::CHANGED);
  kj::Maybe<Shelf> shelf;
  if (keep != nullptr) {
    auto found = shelfFor(*place->visit, keep);
    if (!found) return no(found.error());
    shelf = kj::mv(*found);
  }
  auto away = aside(*place->visit);
  KJ_IF_MAYBE(kept, shelf) away = kept->spot();
  beforeChange();
  auto taken = take(*place, away, expected);
  if (!taken) return taken;
  if (keep == nullptr && unlinkat(away.directory, away.name.c_str(), 0) < 0) return no(lastError());
  unsynced.changed(path.directory());
  return {};
}

TreeResult<void> LinuxFileTree::removeDirectory(const FolderPath& path) {
  auto visit = root.visitToChange();
  if (!visit) return no(visit.error());
  auto place = find(kj::mv(*visit), path);
  if (!place) return no(place.error());
  if (unlinkat(place->directory, place->name.c_str(), AT_REMOVEDIR) < 0)
    return no(errno == ENOTDIR ? TreeError::CHANGED : lastError());
  unsynced.changed(path.directory());
  return {};
}

TreeResult<FileState> LinuxFileTree::setAttributes(
    const FolderPath& path, const FileStamp& expected, const FileAttributes& attributes) {
  auto place = expect(path, &expected);
  if (!place) return no(place.error());
  beforeChange();
  auto found = place->look();
  if (!found || !isSame(*found, expected)) return no(TreeError::CHANGED);
  if (found->kind == Kind::OTHER) return no(TreeError::UNSUPPORTED);
  if (found->kind == Kind::SYMLINK) {
    auto written = writeTime(place->directory, place->name, attributes.modifiedNs);
    if (!written) return no(written.error());
    unsynced.everything();
    return place->look();
  }
  auto opened = openIn(place->directory, place->name, O_RDONLY | O_NONBLOCK);
  if (!opened && opened.error() == TreeError::DENIED) {
    // Who may not read it may be its owner, and give himself the right.
    fchmodat(place->directory, place->name.c_str(), attributes.mode | 0400, AT_SYMLINK_NOFOLLOW);
    opened = openIn(place->directory, place->name, O_RDONLY | O_NONBLOCK);
  }
  if (!opened) return no(opened.error());
  LinuxReading file(kj::mv(*opened), place->visit->disk);
  auto state = file.state();
  if (!state || !isSame(*state, expected)) return no(TreeError::CHANGED);
  auto written = writeAttributes(file.fd(), attributes);
  if (!written) return no(written.error());
  unsynced.everything();
  return file.state();
}

}  // namespace hearth::devices

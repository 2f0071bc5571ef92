#pragma once
// The files of a folder on Linux. Hearth's own directory in it:
//
//   .hearth/folder         the mark (folder-root.h)
//   .hearth/staged/NAME    files under way
//   .hearth/versions/PATH  what was replaced or removed
//   .hearth/aside/N        what is in the middle of a step; empty between them
//
// A file is replaced by exchanging it with what is staged and then looking at what came out: if that is not what was
// expected, both go back, and nothing that anybody wrote is lost. Where the file system cannot exchange, there is a
// moment between the look and the change in which a write would be.

#include "devices/linux/folder-root.h"
#include "devices/linux/unsynced.h"

#include <kj/function.h>

namespace hearth::devices {

// Outside of batches, the disk is held from a change to the next sync(), and cannot be unmounted.
// Not for several threads at a time, and nor are its staged files; a file that is read may be so on another.
class LinuxFileTree final: public storage::FileTree {
 public:
  // A folder that was created. Errors: GONE, also where another folder's mark is.
  static TreeResult<kj::Own<LinuxFileTree>> open(const std::string& path, const FolderId& id);
  // The directory becomes a folder. Errors: markFolder()'s.
  static FolderResult<kj::Own<LinuxFileTree>> create(const std::string& path, const FolderId& id);

  explicit LinuxFileTree(FolderRoot root): root(kj::mv(root)) {}
  KJ_DISALLOW_COPY_AND_MOVE(LinuxFileTree);

  // Absolute and without links, as it is to be remembered and watched.
  const std::string& where() const { return root.where(); }

  // For tests: what this kernel has, and what is called between a look and the change that follows it.
  KernelCalls calls;
  kj::Function<void()> beforeChange = []() {};

  TreeResult<std::vector<Listed>> list(const FolderPath& directory) override;
  TreeResult<FileState> state(const FolderPath& path) override;
  TreeResult<kj::Own<Reading>> open(const FolderPath& path) override;
  TreeResult<std::string> target(const FolderPath& link) override;
  TreeResult<kj::Own<Staged>> stage(std::string_view name) override;
  TreeResult<std::vector<std::string>> staged() override;
  TreeResult<void> dropStaged(std::string_view name) override;
  TreeResult<void> sync() override;
  TreeResult<FileState> place(
      std::string_view stagedName, const FolderPath& path, Expect expected, Keep keep) override;
  TreeResult<FileState> placeLink(
      const std::string& target, const FolderPath& path, Expect expected, Keep keep) override;
  TreeResult<FileState> makeDirectory(const FolderPath& path, uint32_t mode) override;
  TreeResult<FileState> move(
      const FolderPath& from, const FileStamp& expected, const FolderPath& to) override;
  TreeResult<void> remove(const FolderPath& path, const FileStamp& expected, Keep keep) override;
  TreeResult<void> removeDirectory(const FolderPath& path) override;
  TreeResult<FileState> setAttributes(
      const FolderPath& path, const FileStamp& expected, const FileAttributes& attributes) override;
  TreeResult<std::vector<Kept>> kept() override;
  TreeResult<kj::Own<Reading>> openKept(const FolderPath& path) override;
  TreeResult<void> dropKept(const FolderPath& path) override;
  TreeResult<uint64_t> room() override;

 private:
  void beginBatch() override { root.hold(); }
  void endBatch() override { root.leave(); }

  using Visit = FolderRoot::Visit;
  using Visiting = FolderRoot::Visiting;

  // A name in the folder, and the directory that it is in.
  struct Place {
    Visiting visit;
    kj::AutoCloseFd directory;
    std::string name;
    Spot spot() const { return {directory, name}; }
    TreeResult<FileState> look() const { return stateIn(directory, name, visit->disk); }
  };
  // Where something goes that is to be kept.
  struct Shelf {
    kj::AutoCloseFd directory;
    std::string name;
    Spot spot() const { return {directory, name}; }
  };

  FolderRoot root;
  Unsynced unsynced;
  uint64_t lastAside = 0;

  TreeResult<void> clearAside();
  TreeResult<std::vector<Listed>> listedIn(int above, const FolderPath& directory, dev_t disk);
  TreeResult<Place> find(const FolderPath& path);
  TreeResult<Place> find(Visiting visit, const FolderPath& path);
  TreeResult<Place> expect(const FolderPath& path, Expect expected);
  Spot aside(const Visit& visit) { return {visit.aside, std::to_string(++lastAside)}; }
  TreeResult<Shelf> shelfFor(const Visit& visit, Keep keep);
  TreeResult<FileState> bring(const Spot& from, const Place& to, Expect expected, Keep keep);
  TreeResult<void> replace(const Spot& from, const Place& to, const FileStamp& expected, Keep keep);
  TreeResult<void> replaceUnexchanged(
      const Spot& from, const Place& to, const FileStamp& expected, Keep keep);
  TreeResult<void> swap(const Spot& ours, const Place& theirs, const FileStamp& expected);
  TreeResult<void> take(const Place& from, const Spot& to, const FileStamp& expected);
  Opened makeShelves(int versions, const FolderPath& directory);
};

}  // namespace hearth::devices

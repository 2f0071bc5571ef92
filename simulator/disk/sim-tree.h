#pragma once
// The files of a folder in memory (the seam is storage/folder/file-tree.h), with every fault that a test may want.

#include "simulator/disk/tree-image.h"

#include <kj/function.h>

#include <set>

namespace hearth::sim {

class SimTree final: public storage::FileTree {
 public:
  // The image outlives the tree. Several trees on one image are one, as after a restart.
  explicit SimTree(TreeImage& image);
  KJ_DISALLOW_COPY_AND_MOVE(SimTree);

  // Faults.
  bool gone = false;             // the folder is not there
  bool withoutExtended = false;  // nor can extended attributes be
  std::set<std::string> denied;  // paths that can neither be read nor changed
  uint64_t roomBytes = 1ull << 40;
  // Called when a file is about to be read from, and when a change has been asked for and not yet begun.
  kj::Function<void(const std::string& path)> beforeRead = [](auto&) {},
                                              beforeChange = [](auto&) {};

  uint64_t refused = 0;  // by a fault
  uint64_t syncs = 0;

  storage::TreeResult<std::vector<Listed>> list(const storage::FolderPath& directory) override;
  storage::TreeResult<storage::FileState> state(const storage::FolderPath& path) override;
  storage::TreeResult<kj::Own<Reading>> open(const storage::FolderPath& path) override;
  storage::TreeResult<std::string> target(const storage::FolderPath& link) override;
  storage::TreeResult<kj::Own<Staged>> stage(std::string_view name) override;
  storage::TreeResult<std::vector<std::string>> staged() override;
  storage::TreeResult<void> dropStaged(std::string_view name) override;
  storage::TreeResult<void> sync() override;
  storage::TreeResult<storage::FileState> place(std::string_view stagedName,
      const storage::FolderPath& path, Expect expected, Keep keep) override;
  storage::TreeResult<storage::FileState> placeLink(const std::string& target,
      const storage::FolderPath& path, Expect expected, Keep keep) override;
  storage::TreeResult<storage::FileState> makeDirectory(
      const storage::FolderPath& path, uint32_t mode) override;
  storage::TreeResult<storage::FileState> move(const storage::FolderPath& from,
      const storage::FileStamp& expected, const storage::FolderPath& to) override;
  storage::TreeResult<void> remove(
      const storage::FolderPath& path, const storage::FileStamp& expected, Keep keep) override;
  storage::TreeResult<void> removeDirectory(const storage::FolderPath& path) override;
  storage::TreeResult<storage::FileState> setAttributes(const storage::FolderPath& path,
      const storage::FileStamp& expected, const storage::FileAttributes& attributes) override;
  storage::TreeResult<std::vector<Kept>> kept() override;
  storage::TreeResult<kj::Own<Reading>> openKept(const storage::FolderPath& path) override;
  storage::TreeResult<void> dropKept(const storage::FolderPath& path) override;
  storage::TreeResult<uint64_t> room() override;
  void beginBatch() override {}
  void endBatch() override {}

 private:
  using Inode = TreeImage::Inode;
  using Kind = TreeImage::Kind;
  class FileReading;
  class FileStaged;

  // A name in a directory that is there, and what it names; TreeImage::NONE: nothing.
  struct Spot {
    Inode directory, node;
    std::string name;
  };

  TreeImage& image;

  std::unexpected<storage::TreeError> refuse(storage::TreeError error);
  storage::TreeResult<void> usable();
  storage::TreeResult<Spot> find(Inode from, const storage::FolderPath& path) const;
  storage::TreeResult<Spot> look(const storage::FolderPath& path);
  storage::TreeResult<Spot> lookToChange(const storage::FolderPath& path);
  storage::TreeResult<Spot> expect(const storage::FolderPath& path, Expect expected);
  storage::TreeResult<kj::Own<Reading>> openAt(const Spot& spot, const std::string& path);
  Inode own(const char* name);
  Inode makeIn(Inode directory, const std::string& name);
  storage::TreeResult<void> keepAs(TreeImage::Step& step, Inode node, Keep keep);
  storage::TreeResult<storage::FileState> placeAt(
      TreeImage::Step step, Inode node, const Spot& spot, Keep keep);
};

}  // namespace hearth::sim

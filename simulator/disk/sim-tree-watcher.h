#pragma once
// Tells of changes in a folder in memory, with the limits and losses that a kernel's way of telling has.

#include "simulator/disk/tree-image.h"
#include "storage/folder/tree-watcher.h"

#include <set>

namespace hearth::sim {

class SimTreeWatcher final: public storage::TreeWatcher, private TreeImage::Listener {
 public:
  // The image outlives the watcher.
  explicit SimTreeWatcher(TreeImage& image, size_t watchesMax = 1'000'000);
  ~SimTreeWatcher() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(SimTreeWatcher);

  storage::TreeResult<void> watch(const storage::FolderPath& directory) override;
  kj::Promise<Changes> changes() override;
  size_t watches() const override { return watched.size(); }

  // Faults.
  void
  lose();  // what has come since the last changes() is forgotten, and nothing is watched any more
  void vanish();  // the folder itself is gone

  uint64_t lost = 0;  // changes

 private:
  TreeImage& image;
  size_t watchesMax;
  std::set<TreeImage::Inode> watched;
  std::set<storage::FolderPath> touchedNow, writtenNow;
  bool all = false, gone = false;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<Changes>>> waiting;

  void touched(TreeImage::Inode directory, const std::string& name) override;
  void beingWritten(TreeImage::Inode directory, const std::string& name) override;
  void vanished(TreeImage::Inode directory) override { watched.erase(directory); }
  void tell();
  Changes take();
};

}  // namespace hearth::sim

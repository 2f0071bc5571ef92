#pragma once
// Folders to test on, each with a hand that does what its owner does: in memory, and on this machine's disk.

#include "core/loop/uv-event-port.h"
#include "devices/linux/inotify-watcher.h"
#include "devices/linux/linux-file-tree.h"
#include "simulator/disk/sim-tree-watcher.h"
#include "simulator/disk/sim-tree.h"
#include "simulator/disk/tree-owner.h"
#include "tests/devices/folders/disk-owner.h"
#include "tests/storage/folder/states.h"

#include <kj/debug.h>

#include <cstring>
#include <functional>
#include <unistd.h>
#include <utility>

namespace hearth::storage {

// Between Hearth's look at a file and the change that follows it the owner does something, once.
using Hand = std::function<void()>;

struct InMemory {
  sim::TreeImage image{sim::Chance(1)};
  kj::Own<FileTree> tree = kj::heap<sim::SimTree>(image);
  sim::TreeOwner owner{image};

  kj::Own<TreeWatcher> watcher(UvLoop&) { return kj::heap<sim::SimTreeWatcher>(image); }
  void reopen() { tree = kj::heap<sim::SimTree>(image); }
  void letTimePass() {}  // each change has its own
  void between(Hand hand) {
    kj::downcast<sim::SimTree>(*tree).beforeChange = [hand = kj::mv(hand)](auto&) mutable {
      if (auto once = std::exchange(hand, nullptr)) once();
    };
  }
};

inline FolderId folderId(kj::byte fill = 1) {
  FolderId id;
  memset(id.bytes, fill, FolderId::SIZE);
  return id;
}

struct OnLinux {
  DiskOwner owner;
  kj::Own<FileTree> tree;

  OnLinux() {
    auto created = devices::LinuxFileTree::create(owner.root, folderId());
    KJ_ASSERT(created.has_value());
    tree = kj::mv(*created);
  }
  devices::LinuxFileTree& onDisk() { return kj::downcast<devices::LinuxFileTree>(*tree); }
  kj::Own<TreeWatcher> watcher(UvLoop& loop) {
    return kj::heap<devices::InotifyWatcher>(loop.port, owner.root);
  }
  void reopen() { tree = devices::LinuxFileTree::open(owner.root, folderId()).value(); }
  // Until what is written is told from what was by its times.
  void letTimePass() { usleep(10'000); }
  void between(Hand hand) {
    onDisk().beforeChange = [hand = kj::mv(hand)]() mutable {
      if (auto once = std::exchange(hand, nullptr)) once();
    };
  }
};

// The same without what newer kernels have.
struct OnOldLinux: OnLinux {
  OnOldLinux() { forget(); }
  void reopen() {
    OnLinux::reopen();
    forget();
  }
  void forget() { onDisk().calls.openat2 = onDisk().calls.renameat2 = false; }
};

}  // namespace hearth::storage

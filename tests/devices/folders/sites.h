#pragma once
// Folders to test on, each with a hand that does what its owner does: in memory, and on this machine's disk.

#include "core/loop/uv-event-port.h"
#include "simulator/disk/sim-tree-watcher.h"
#include "simulator/disk/sim-tree.h"
#include "simulator/disk/tree-owner.h"

#include <functional>
#include <utility>

namespace hearth::storage {

inline FolderPath path(std::string_view text) { return FolderPath::parse(text).value(); }

// Between Hearth's look at a file and the change that follows it the owner does something, once.
using Hand = std::function<void()>;

struct InMemory {
  sim::TreeImage image{sim::Chance(1)};
  kj::Own<FileTree> tree = kj::heap<sim::SimTree>(image);
  sim::TreeOwner owner{image};

  kj::Own<TreeWatcher> watcher(UvLoop&) { return kj::heap<sim::SimTreeWatcher>(image); }
  void reopen() { tree = kj::heap<sim::SimTree>(image); }
  void between(Hand hand) {
    kj::downcast<sim::SimTree>(*tree).beforeChange = [hand = kj::mv(hand)](auto&) mutable {
      if (auto once = std::exchange(hand, nullptr)) once();
    };
  }
};

}  // namespace hearth::storage

#include "simulator/disk/sim-tree.h"

#include <algorithm>

namespace hearth::sim {

using storage::FileState;
using storage::FileTree;
using storage::FolderPath;
using storage::TreeError;
using storage::TreeResult;

// Adds to the step that the node, which loses its name in it, is kept.
TreeResult<void> SimTree::keepAs(TreeImage::Step& step, Inode node, Keep keep) {
  if (node == TreeImage::NONE || keep == nullptr) return {};
  auto directory = own("versions");
  auto rest = std::string_view(keep->str());
  for (auto slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/')) {
    auto name = std::string(rest.substr(0, slash));
    if (image.full && image.find(directory, name) == TreeImage::NONE)
      return refuse(TreeError::FULL);
    directory = makeIn(directory, name);
    rest.remove_prefix(slash + 1);
  }
  if (image.find(directory, std::string(rest)) != TreeImage::NONE) return no(TreeError::CHANGED);
  step.push_back(TreeImage::Put{directory, std::string(rest), node});
  return {};
}

TreeResult<std::vector<FileTree::Kept>> SimTree::kept() {
  auto usable = this->usable();
  if (!usable) return no(usable.error());
  std::vector<Kept> all;
  auto walk = [&](auto& self, Inode directory, const FolderPath& path) -> void {
    for (auto& [name, node]: image.node(directory)->names) {
      auto child = path.child(name);
      if (!child) continue;
      if (image.state(node).kind == Kind::DIRECTORY) {
        self(self, node, *child);
      } else {
        all.push_back({*child, image.state(node)});
      }
    }
  };
  walk(walk, own("versions"), FolderPath());
  std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.path < b.path; });
  return all;
}

TreeResult<kj::Own<FileTree::Reading>> SimTree::openKept(const FolderPath& path) {
  auto usable = this->usable();
  if (!usable) return no(usable.error());
  auto spot = find(own("versions"), path);
  if (!spot) return no(spot.error());
  return openAt(*spot, path.str());
}

// Directories that are empty then go, too.
TreeResult<void> SimTree::dropKept(const FolderPath& path) {
  auto usable = this->usable();
  if (!usable) return usable;
  auto versions = own("versions");
  auto spot = find(versions, path);
  if (!spot) return no(spot.error());
  if (spot->node == TreeImage::NONE) return no(TreeError::MISSING);
  if (image.state(spot->node).kind == Kind::DIRECTORY) return no(TreeError::CHANGED);
  image.commit({TreeImage::Put{spot->directory, spot->name, TreeImage::NONE}});
  for (auto at = spot->directory; at != versions && image.node(at)->names.empty();) {
    auto parent = image.node(at)->parent;
    image.commit({TreeImage::Put{parent, image.node(at)->name, TreeImage::NONE}});
    at = parent;
  }
  return {};
}

}  // namespace hearth::sim

#include "simulator/disk/tree-owner.h"

#include <kj/debug.h>

namespace hearth::sim {

using storage::FolderPath;
using Kind = TreeImage::Kind;

void TreeOwner::write(const std::string& path, std::string bytes) {
  auto file = fileAt(path);
  image.node(file)->content->bytes = kj::mv(bytes);
  image.written(file, true);
}

void TreeOwner::append(const std::string& path, const std::string& bytes) {
  auto file = fileAt(path);
  image.node(file)->content->bytes += bytes;
  image.written(file, true);
}

void TreeOwner::writeOn(const std::string& path, std::string bytes) {
  auto file = fileAt(path);
  image.node(file)->content->bytes = kj::mv(bytes);
  image.written(file, false);
}

void TreeOwner::close(const std::string& path) { image.written(fileAt(path), true); }

void TreeOwner::replace(const std::string& path, std::string bytes) {
  auto spot = this->spot(path);
  auto node = image.newInode();
  auto now = image.tick();
  image.commit({TreeImage::Set{node, {Kind::FILE, 0644, now, now, {}, {}}}});
  image.node(node)->content->bytes = kj::mv(bytes);
  image.node(node)->content->dirty = true;
  image.commit({TreeImage::Put{spot.directory, spot.name, node}});
}

void TreeOwner::makeDirectory(const std::string& path) { spot(path + "/"); }

void TreeOwner::link(const std::string& path, const std::string& target) {
  make(spot(path), {.kind = Kind::SYMLINK, .mode = 0777, .target = target});
}

void TreeOwner::makeSpecial(const std::string& path) { make(spot(path), {.kind = Kind::OTHER}); }

void TreeOwner::remove(const std::string& path) {
  KJ_REQUIRE(at(path) != TreeImage::NONE, "nothing to remove", path.c_str());
  removeAt(spot(path));
}

void TreeOwner::removeAt(const Spot& spot) {
  auto node = image.find(spot.directory, spot.name);
  auto names = image.node(node)->names;
  for (auto& [name, child]: names) removeAt({node, name});
  image.commit({TreeImage::Put{spot.directory, spot.name, TreeImage::NONE}});
}

void TreeOwner::rename(const std::string& from, const std::string& to) {
  auto source = spot(from), target = spot(to);
  auto node = image.find(source.directory, source.name);
  KJ_REQUIRE(node != TreeImage::NONE, "nothing to rename", from.c_str());
  auto meta = image.node(node)->meta;
  meta.changedNs = image.tick();
  image.commit({TreeImage::Put{source.directory, source.name, TreeImage::NONE},
      TreeImage::Put{target.directory, target.name, node}, TreeImage::Set{node, meta}});
}

void TreeOwner::setAttributes(const std::string& path, const storage::FileAttributes& attributes) {
  auto node = at(path);
  KJ_REQUIRE(node != TreeImage::NONE, "nothing there", path.c_str());
  auto meta = image.node(node)->meta;
  meta.mode = attributes.mode;
  meta.modifiedNs = attributes.modifiedNs;
  meta.extended = attributes.extended;
  meta.changedNs = image.tick();
  image.commit({TreeImage::Set{node, meta}});
}

kj::Maybe<std::string> TreeOwner::read(const std::string& path) const {
  auto node = at(path);
  if (node == TreeImage::NONE || image.node(node)->content == nullptr) return nullptr;
  return image.node(node)->content->bytes;
}

std::map<std::string, std::string> TreeOwner::everything() const {
  std::map<std::string, std::string> all;
  auto walk = [&](auto& self, Inode directory, const std::string& before) -> void {
    for (auto& [name, inode]: image.node(directory)->names) {
      if (before.empty() && name == FolderPath::OWN) continue;
      auto& node = *image.node(inode);
      switch (node.meta.kind) {
        case Kind::FILE:
          all[before + name] = node.content->bytes;
          break;
        case Kind::SYMLINK:
          all[before + name] = "-> " + node.meta.target;
          break;
        case Kind::OTHER:
          all[before + name] = "?";
          break;
        case Kind::DIRECTORY:
          all[before + name + "/"] = "";
          self(self, inode, before + name + "/");
          break;
      }
    }
  };
  walk(walk, TreeImage::ROOT, "");
  return all;
}

// Makes the directories on the way.
TreeOwner::Spot TreeOwner::spot(const std::string& path) {
  Spot spot{TreeImage::ROOT, {}};
  size_t begin = 0;
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', begin)) {
    auto name = path.substr(begin, slash - begin);
    auto there = image.find(spot.directory, name);
    if (there == TreeImage::NONE)
      there = make({spot.directory, name}, {.kind = Kind::DIRECTORY, .mode = 0755});
    KJ_REQUIRE(image.node(there)->meta.kind == Kind::DIRECTORY, "no directory", path.c_str());
    spot.directory = there;
    begin = slash + 1;
  }
  spot.name = path.substr(begin);
  return spot;
}

TreeImage::Inode TreeOwner::make(const Spot& spot, TreeImage::Meta meta) {
  auto node = image.newInode();
  meta.modifiedNs = meta.changedNs = image.tick();
  image.commit(
      {TreeImage::Set{node, kj::mv(meta)}, TreeImage::Put{spot.directory, spot.name, node}});
  return node;
}

TreeImage::Inode TreeOwner::fileAt(const std::string& path) {
  auto spot = this->spot(path);
  auto there = image.find(spot.directory, spot.name);
  if (there == TreeImage::NONE) return make(spot, {});
  KJ_REQUIRE(image.node(there)->content != nullptr, "no file", path.c_str());
  return there;
}

TreeImage::Inode TreeOwner::at(const std::string& path) const {
  auto node = TreeImage::ROOT;
  for (size_t begin = 0; node != TreeImage::NONE && begin <= path.size();) {
    auto end = std::min(path.find('/', begin), path.size());
    bool isDirectory = image.node(node)->meta.kind == Kind::DIRECTORY;
    node = isDirectory ? image.find(node, path.substr(begin, end - begin)) : TreeImage::NONE;
    begin = end + 1;
  }
  return node;
}

}  // namespace hearth::sim

#include "simulator/disk/sim-tree.h"

namespace hearth::sim {

using storage::FileAttributes;
using storage::FileStamp;
using storage::FileState;
using storage::FolderPath;
using storage::TreeError;
using storage::TreeResult;

TreeResult<SimTree::Spot> SimTree::lookToChange(const FolderPath& path) {
  beforeChange(path.str());
  return look(path);
}

// The spot, if there is what is expected.
TreeResult<SimTree::Spot> SimTree::expect(const FolderPath& path, Expect expected) {
  auto spot = lookToChange(path);
  if (!spot) return spot;
  bool isThere = spot->node != TreeImage::NONE;
  if (isThere != (expected != nullptr)) return no(TreeError::CHANGED);
  if (!isThere) return spot;
  if (image.state(spot->node).stamp != *expected) return no(TreeError::CHANGED);
  return spot;
}

// Ends the step by which a node comes to that spot.
TreeResult<FileState> SimTree::placeAt(
    TreeImage::Step step, Inode node, const Spot& spot, Keep keep) {
  if (spot.node != TreeImage::NONE && image.state(spot.node).kind == Kind::DIRECTORY)
    return no(TreeError::CHANGED);
  auto name = spot.node == TreeImage::NONE ? spot.name : image.node(spot.node)->name;
  step.push_back(TreeImage::Put{spot.directory, name, node});
  auto kept = keepAs(step, spot.node, keep);
  if (!kept) return no(kept.error());
  image.commit(kj::mv(step));
  return image.state(node);
}

TreeResult<FileState> SimTree::place(
    std::string_view stagedName, const FolderPath& path, Expect expected, Keep keep) {
  auto name = std::string(stagedName);
  auto spot = expect(path, expected);
  if (!spot) return no(spot.error());
  auto directory = own("staged");
  auto node = image.find(directory, name);
  if (node == TreeImage::NONE) return no(TreeError::MISSING);
  auto meta = image.node(node)->meta;
  meta.changedNs = image.tick();
  return placeAt({TreeImage::Put{directory, name, TreeImage::NONE}, TreeImage::Set{node, meta}},
      node, *spot, keep);
}

TreeResult<FileState> SimTree::placeLink(
    const std::string& target, const FolderPath& path, Expect expected, Keep keep) {
  auto spot = expect(path, expected);
  if (!spot) return no(spot.error());
  if (!isTarget(target)) return no(TreeError::UNSUPPORTED);
  if (image.full) return refuse(TreeError::FULL);
  auto node = image.newInode();
  auto now = image.tick();
  return placeAt(
      {TreeImage::Set{node, {Kind::SYMLINK, 0777, now, now, {}, target}}}, node, *spot, keep);
}

TreeResult<FileState> SimTree::makeDirectory(const FolderPath& path, uint32_t mode) {
  auto spot = expect(path, nullptr);
  if (!spot) return no(spot.error());
  if (image.full) return refuse(TreeError::FULL);
  auto node = makeIn(spot->directory, spot->name);
  auto meta = image.node(node)->meta;
  meta.mode = mode & 0777;
  image.commit({TreeImage::Set{node, meta}});
  return image.state(node);
}

TreeResult<FileState> SimTree::move(
    const FolderPath& from, const FileStamp& expected, const FolderPath& to) {
  auto source = expect(from, &expected);
  if (!source) return no(source.error());
  auto target = look(to);
  if (!target) return no(target.error());
  bool isOnlyCase = target->node == source->node && target->name != source->name;
  if (target->node != TreeImage::NONE && !isOnlyCase) return no(TreeError::CHANGED);
  for (auto up = target->directory; up != TreeImage::NONE; up = image.node(up)->parent) {
    if (up == source->node) return no(TreeError::UNSUPPORTED);  // into itself
  }
  auto meta = image.node(source->node)->meta;
  meta.changedNs = image.tick();
  image.commit({TreeImage::Put{source->directory, image.node(source->node)->name, TreeImage::NONE},
      TreeImage::Put{target->directory, target->name, source->node},
      TreeImage::Set{source->node, meta}});
  return image.state(source->node);
}

TreeResult<void> SimTree::remove(const FolderPath& path, const FileStamp& expected, Keep keep) {
  auto spot = expect(path, &expected);
  if (!spot) return no(spot.error());
  if (image.state(spot->node).kind == Kind::DIRECTORY) return no(TreeError::CHANGED);
  TreeImage::Step step{
      TreeImage::Put{spot->directory, image.node(spot->node)->name, TreeImage::NONE}};
  auto kept = keepAs(step, spot->node, keep);
  if (!kept) return kept;
  image.commit(kj::mv(step));
  return {};
}

TreeResult<void> SimTree::removeDirectory(const FolderPath& path) {
  auto spot = lookToChange(path);
  if (!spot) return no(spot.error());
  if (spot->node == TreeImage::NONE) return no(TreeError::MISSING);
  auto node = image.node(spot->node);
  if (node->meta.kind != Kind::DIRECTORY) return no(TreeError::CHANGED);
  if (!node->names.empty()) return no(TreeError::NOT_EMPTY);
  image.commit({TreeImage::Put{spot->directory, node->name, TreeImage::NONE}});
  return {};
}

TreeResult<FileState> SimTree::setAttributes(
    const FolderPath& path, const FileStamp& expected, const FileAttributes& attributes) {
  auto spot = expect(path, &expected);
  if (!spot) return no(spot.error());
  auto meta = image.node(spot->node)->meta;
  bool isLink = meta.kind == Kind::SYMLINK;
  if (meta.kind == Kind::OTHER) return no(TreeError::UNSUPPORTED);
  meta.modifiedNs = attributes.modifiedNs;
  meta.changedNs = image.tick();
  if (!isLink) meta.mode = attributes.mode & 0777;
  if (!isLink && !withoutExtended) meta.extended = attributes.extended;
  image.commit({TreeImage::Set{spot->node, meta}});
  return image.state(spot->node);
}

}  // namespace hearth::sim

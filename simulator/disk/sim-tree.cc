#include "simulator/disk/sim-tree.h"

#include <kj/debug.h>

#include <algorithm>
#include <cstring>

namespace hearth::sim {

using storage::FileAttributes;
using storage::FileStamp;
using storage::FileState;
using storage::FileTree;
using storage::FolderPath;
using storage::TreeError;
using storage::TreeResult;

namespace {

constexpr auto STAGED = "staged";

FileAttributes attributesOf(const TreeImage::Meta& meta) {
  return {meta.mode, meta.modifiedNs, meta.extended};
}

TreeResult<size_t> readFrom(const std::string& bytes, uint64_t offset, kj::ArrayPtr<kj::byte> out) {
  if (offset >= bytes.size()) return 0;
  auto size = std::min<size_t>(out.size(), bytes.size() - offset);
  memcpy(out.begin(), bytes.data() + offset, size);
  return size;
}

}  // namespace

// Goes on when the file has another name, or none.
class SimTree::FileReading final: public Reading {
 public:
  FileReading(SimTree& tree, Inode inode, std::string path)
      : tree(tree),
        inode(inode),
        node(tree.image.node(inode)),
        path(kj::mv(path)) {}

  TreeResult<size_t> read(uint64_t offset, kj::ArrayPtr<kj::byte> out) override {
    auto usable = tree.usable();
    if (!usable) return no(usable.error());
    tree.beforeRead(path);
    return readFrom(node->content->bytes, offset, out);
  }
  TreeResult<FileState> state() override {
    if (tree.image.has(inode)) return tree.image.state(inode);
    return FileState{node->meta.kind, node->meta.mode,
        {inode, node->content->bytes.size(), node->meta.modifiedNs, node->meta.changedNs}};
  }
  TreeResult<FileAttributes> attributes() override { return attributesOf(node->meta); }

 private:
  SimTree& tree;
  Inode inode;
  TreeImage::NodePtr node;
  std::string path;
};

class SimTree::FileStaged final: public Staged {
 public:
  FileStaged(SimTree& tree, Inode inode): tree(tree), inode(inode) {}

  TreeResult<size_t> read(uint64_t offset, kj::ArrayPtr<kj::byte> out) override {
    if (auto flushed = flush(); !flushed) return no(flushed.error());
    return readFrom(bytes(), offset, out);
  }
  TreeResult<void> write(uint64_t offset, crypto::Bytes data) override {
    if (auto flushed = flush(); !flushed) return flushed;
    auto writable = this->writable();
    if (!writable) return writable;
    waitingAt = offset;
    waiting = kj::heapArray(data);
    return {};
  }
  TreeResult<void> flush() override {
    auto usable = this->usable();
    if (!usable || waiting.size() == 0) return usable;
    auto data = kj::mv(waiting);
    auto writable = this->writable();
    if (!writable) return writable;
    auto end = waitingAt + data.size();
    if (bytes().size() < end) bytes().resize(end);
    memcpy(bytes().data() + waitingAt, data.begin(), data.size());
    tree.image.written(inode, true);
    return {};
  }
  TreeResult<void> copy(Reading& from, uint64_t offset, uint64_t count, uint64_t to) override {
    auto buffer = kj::heapArray<kj::byte>(count);
    auto size = from.read(offset, buffer);
    if (!size) return no(size.error());
    if (*size < count) return no(TreeError::CHANGED);
    if (auto written = write(to, buffer); !written) return written;
    return flush();
  }
  TreeResult<FileAttributes> finish(uint64_t length, const FileAttributes& attributes) override {
    if (auto flushed = flush(); !flushed) return no(flushed.error());
    auto writable = this->writable();
    if (!writable) return no(writable.error());
    bytes().resize(length);
    tree.image.written(inode, true);
    auto meta = tree.image.node(inode)->meta;
    meta.mode = attributes.mode & 0777;
    meta.modifiedNs = attributes.modifiedNs;
    if (!tree.withoutExtended) meta.extended = attributes.extended;
    tree.image.commit({TreeImage::Set{inode, meta}});
    return attributesOf(meta);
  }

 private:
  SimTree& tree;
  Inode inode;
  // The last that was written: whoever forgets to flush it loses it.
  uint64_t waitingAt = 0;
  crypto::Buffer waiting;

  std::string& bytes() { return tree.image.node(inode)->content->bytes; }
  TreeResult<void> usable() {
    auto usable = tree.usable();
    if (!usable) return usable;
    if (!tree.image.has(inode)) return no(TreeError::MISSING);
    return {};
  }
  TreeResult<void> writable() {
    auto usable = this->usable();
    if (usable && tree.image.full) return tree.refuse(TreeError::FULL);
    return usable;
  }
};

SimTree::SimTree(TreeImage& image): image(image) {
  own(STAGED);
  image.sync();
}

std::unexpected<TreeError> SimTree::refuse(TreeError error) {
  ++refused;
  return no(error);
}

TreeResult<void> SimTree::usable() {
  if (gone) return refuse(TreeError::GONE);
  return {};
}

// Hearth's own directory of that name, which is made where it is not.
SimTree::Inode SimTree::own(const char* name) {
  return makeIn(makeIn(TreeImage::ROOT, std::string(FolderPath::OWN)), name);
}

SimTree::Inode SimTree::makeIn(Inode directory, const std::string& name) {
  auto there = image.find(directory, name);
  if (there != TreeImage::NONE) return there;
  auto made = image.newInode();
  auto now = image.tick();
  image.commit({TreeImage::Set{made, {Kind::DIRECTORY, 0700, now, now, {}, {}}},
      TreeImage::Put{directory, name, made}});
  return made;
}

TreeResult<SimTree::Spot> SimTree::find(Inode from, const FolderPath& path) const {
  KJ_REQUIRE(!path.isFolder(), "the folder itself has no name");
  Spot spot{from, TreeImage::NONE, {}};
  auto rest = std::string_view(path.str());
  while (true) {
    auto slash = rest.find('/');
    spot.name = rest.substr(0, slash);
    spot.node = image.find(spot.directory, spot.name);
    if (slash == std::string_view::npos) return spot;
    if (spot.node == TreeImage::NONE) return no(TreeError::MISSING);
    auto kind = image.state(spot.node).kind;
    if (kind == Kind::SYMLINK) return no(TreeError::LINKED);
    if (kind != Kind::DIRECTORY) return no(TreeError::MISSING);
    spot.directory = spot.node;
    rest.remove_prefix(slash + 1);
  }
}

TreeResult<SimTree::Spot> SimTree::look(const FolderPath& path) {
  auto usable = this->usable();
  if (!usable) return no(usable.error());
  auto spot = find(TreeImage::ROOT, path);
  if (spot && denied.contains(path.str())) return refuse(TreeError::DENIED);
  return spot;
}

TreeResult<std::vector<FileTree::Listed>> SimTree::list(const FolderPath& path) {
  auto usable = this->usable();
  if (!usable) return no(usable.error());
  auto directory = TreeImage::ROOT;
  if (!path.isFolder()) {
    auto spot = look(path);
    if (!spot) return no(spot.error());
    if (spot->node == TreeImage::NONE) return no(TreeError::MISSING);
    auto kind = image.state(spot->node).kind;
    if (kind != Kind::DIRECTORY)
      return no(kind == Kind::SYMLINK ? TreeError::LINKED : TreeError::MISSING);
    directory = spot->node;
  }
  std::vector<Listed> all;
  for (auto& [name, node]: image.node(directory)->names) {
    if (path.isFolder() && name == FolderPath::OWN) continue;
    all.push_back({name, image.state(node)});
  }
  return all;
}

TreeResult<FileState> SimTree::state(const FolderPath& path) {
  if (path.isFolder()) {
    auto usable = this->usable();
    if (!usable) return no(usable.error());
    return image.state(TreeImage::ROOT);
  }
  auto spot = look(path);
  if (!spot) return no(spot.error());
  if (spot->node == TreeImage::NONE) return no(TreeError::MISSING);
  return image.state(spot->node);
}

TreeResult<kj::Own<FileTree::Reading>> SimTree::openAt(const Spot& spot, const std::string& path) {
  if (spot.node == TreeImage::NONE) return no(TreeError::MISSING);
  auto kind = image.state(spot.node).kind;
  if (kind == Kind::SYMLINK) return no(TreeError::LINKED);
  if (kind != Kind::FILE) return no(TreeError::CHANGED);
  return kj::Own<Reading>(kj::heap<FileReading>(*this, spot.node, path));
}

TreeResult<kj::Own<FileTree::Reading>> SimTree::open(const FolderPath& path) {
  auto spot = look(path);
  if (!spot) return no(spot.error());
  return openAt(*spot, path.str());
}

TreeResult<std::string> SimTree::target(const FolderPath& link) {
  auto spot = look(link);
  if (!spot) return no(spot.error());
  if (spot->node == TreeImage::NONE) return no(TreeError::MISSING);
  if (image.state(spot->node).kind != Kind::SYMLINK) return no(TreeError::CHANGED);
  return image.node(spot->node)->meta.target;
}

TreeResult<kj::Own<FileTree::Staged>> SimTree::stage(std::string_view text) {
  auto name = std::string(text);
  KJ_REQUIRE(FolderPath().child(name).has_value(), "no name for a file under way");
  auto usable = this->usable();
  if (!usable) return no(usable.error());
  auto directory = own(STAGED);
  auto node = image.find(directory, name);
  if (node == TreeImage::NONE && image.full) return refuse(TreeError::FULL);
  if (node == TreeImage::NONE) {
    node = image.newInode();
    auto now = image.tick();
    image.commit({TreeImage::Set{node, {Kind::FILE, 0600, now, now, {}, {}}},
        TreeImage::Put{directory, name, node}});
  }
  return kj::Own<Staged>(kj::heap<FileStaged>(*this, node));
}

TreeResult<std::vector<std::string>> SimTree::staged() {
  auto usable = this->usable();
  if (!usable) return no(usable.error());
  std::vector<std::string> names;
  for (auto& [name, node]: image.node(own(STAGED))->names) names.push_back(name);
  return names;
}

TreeResult<void> SimTree::dropStaged(std::string_view text) {
  auto name = std::string(text);
  KJ_REQUIRE(FolderPath().child(name).has_value(), "no name for a file under way");
  auto usable = this->usable();
  if (!usable) return usable;
  auto directory = own(STAGED);
  if (image.find(directory, name) == TreeImage::NONE) return no(TreeError::MISSING);
  image.commit({TreeImage::Put{directory, name, TreeImage::NONE}});
  return {};
}

TreeResult<void> SimTree::sync() {
  auto usable = this->usable();
  if (!usable) return usable;
  if (image.failing) return refuse(TreeError::FAILED);
  ++syncs;
  image.sync();
  return {};
}

TreeResult<uint64_t> SimTree::room() {
  auto usable = this->usable();
  if (!usable) return no(usable.error());
  return image.full ? 0 : roomBytes;
}

}  // namespace hearth::sim

#include "simulator/disk/sim-tree-watcher.h"

#include <algorithm>

namespace hearth::sim {

using storage::FolderPath;
using storage::TreeError;
using storage::TreeResult;

namespace {

// What to look at: the directory where the name has no path. None for what is Hearth's own, or no longer there.
kj::Maybe<FolderPath> pathOf(
    const TreeImage& image, TreeImage::Inode directory, const std::string& name) {
  if (directory == TreeImage::ROOT && name == FolderPath::OWN) return nullptr;
  std::string text;
  for (auto at = directory; at != TreeImage::ROOT; at = image.node(at)->parent) {
    if (at == TreeImage::NONE || !image.has(at)) return nullptr;
    text = image.node(at)->name + (text.empty() ? "" : "/") + text;
  }
  FolderPath path;
  if (!text.empty()) path = FolderPath::parse(text).value();  // it is watched
  auto child = path.child(name);
  return child ? kj::mv(*child) : kj::mv(path);
}

}  // namespace

SimTreeWatcher::SimTreeWatcher(TreeImage& image, size_t watchesMax)
    : image(image),
      watchesMax(watchesMax) {
  image.listeners.push_back(this);
}

SimTreeWatcher::~SimTreeWatcher() noexcept(false) {
  std::erase(image.listeners, static_cast<TreeImage::Listener*>(this));
}

TreeResult<void> SimTreeWatcher::watch(const FolderPath& directory) {
  if (gone) return no(TreeError::GONE);
  auto node = TreeImage::ROOT;
  auto rest = std::string_view(directory.str());
  while (true) {
    bool isFull = watched.size() >= watchesMax && !watched.contains(node);
    if (isFull) return no(TreeError::FULL);
    watched.insert(node);
    if (rest.empty()) return {};
    auto end = std::min(rest.find('/'), rest.size());
    node = image.find(node, std::string(rest.substr(0, end)));
    if (node == TreeImage::NONE) return no(TreeError::MISSING);
    auto kind = image.state(node).kind;
    if (kind == TreeImage::Kind::SYMLINK) return no(TreeError::LINKED);
    if (kind != TreeImage::Kind::DIRECTORY) return no(TreeError::MISSING);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

kj::Promise<SimTreeWatcher::Changes> SimTreeWatcher::changes() {
  bool isAny = all || gone || !touchedNow.empty() || !writtenNow.empty();
  if (isAny) return take();
  auto pair = kj::newPromiseAndFulfiller<Changes>();
  waiting = kj::mv(pair.fulfiller);
  return kj::mv(pair.promise);
}

void SimTreeWatcher::lose() {
  lost += touchedNow.size() + writtenNow.size();
  touchedNow.clear();
  writtenNow.clear();
  watched.clear();
  all = true;
  tell();
}

void SimTreeWatcher::vanish() {
  gone = true;
  watched.clear();
  tell();
}

void SimTreeWatcher::touched(TreeImage::Inode directory, const std::string& name) {
  if (!watched.contains(directory)) return;
  KJ_IF_MAYBE(path, pathOf(image, directory, name)) {
    touchedNow.insert(kj::mv(*path));
    tell();
  }
}

void SimTreeWatcher::beingWritten(TreeImage::Inode directory, const std::string& name) {
  if (!watched.contains(directory)) return;
  KJ_IF_MAYBE(path, pathOf(image, directory, name)) {
    writtenNow.insert(kj::mv(*path));
    tell();
  }
}

void SimTreeWatcher::tell() {
  KJ_IF_MAYBE(fulfiller, waiting) {
    auto told = kj::mv(*fulfiller);
    waiting = nullptr;
    if (told->isWaiting()) told->fulfill(take());
  }
}

// What is touched is not said to be under way.
SimTreeWatcher::Changes SimTreeWatcher::take() {
  Changes changes{{touchedNow.begin(), touchedNow.end()}, {}, all, gone};
  std::set_difference(writtenNow.begin(), writtenNow.end(), touchedNow.begin(), touchedNow.end(),
      std::back_inserter(changes.beingWritten));
  touchedNow.clear();
  writtenNow.clear();
  all = false;
  return changes;
}

}  // namespace hearth::sim

#include "simulator/disk/tree-image.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::sim {

namespace {

bool isSame(const std::string& a, const std::string& b) {
  auto folded = [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](auto x, auto y) {
    return folded(x) == folded(y);
  });
}

}  // namespace

TreeImage::TreeImage(Chance chance): chance(chance) {
  commit({Set{ROOT, Meta{.kind = Kind::DIRECTORY, .mode = 0755, .modifiedNs = tick()}}});
  sync();
}

TreeImage::Inode TreeImage::find(Inode directory, const std::string& name) const {
  auto& names = now.at(directory)->names;
  auto found = names.find(name);
  if (found != names.end()) return found->second;
  if (!caseless) return NONE;
  for (auto& [other, node]: names) {
    if (isSame(name, other)) return node;
  }
  return NONE;
}

storage::FileState TreeImage::state(Inode inode) const {
  auto& node = *now.at(inode);
  if (node.meta.kind == Kind::DIRECTORY) return {Kind::DIRECTORY, node.meta.mode, {inode}};
  auto size = node.content != nullptr ? node.content->bytes.size() : node.meta.target.size();
  return {node.meta.kind, node.meta.mode, {inode, size, node.meta.modifiedNs, node.meta.changedNs}};
}

void TreeImage::commit(Step step) {
  auto vanished = apply(step, now);
  tell(step, vanished);
  journal.push_back(kj::mv(step));
}

void TreeImage::written(Inode inode, bool closed) {
  auto meta = now.at(inode)->meta;
  meta.modifiedNs = meta.changedNs = tick();
  Step step{Set{inode, meta}};
  apply(step, now);
  journal.push_back(kj::mv(step));
  auto& node = *now.at(inode);
  node.content->dirty = true;
  for (auto listener: listeners) {
    if (closed) {
      listener->touched(node.parent, node.name);
    } else {
      listener->beingWritten(node.parent, node.name);
    }
  }
}

// Returns the nodes that nothing names any more.
std::vector<TreeImage::Inode> TreeImage::apply(const Step& step, Nodes& nodes) {
  std::vector<Inode> unnamed;
  auto put = [&](const Put& put) {
    auto& names = nodes.at(put.directory)->names;
    auto found = names.find(put.name);
    if (found != names.end()) {
      auto& before = *nodes.at(found->second);
      if (before.parent == put.directory && before.name == put.name) {
        before.parent = NONE;
        unnamed.push_back(found->second);
      }
      names.erase(found);
    }
    if (put.node == NONE) return;
    names[put.name] = put.node;
    auto& node = *nodes.at(put.node);
    node.parent = put.directory;
    node.name = put.name;
  };
  for (auto& part: step) {
    if (auto named = std::get_if<Put>(&part)) {
      put(*named);
      continue;
    }
    auto& set = std::get<Set>(part);
    auto& node = nodes[set.node];
    if (node == nullptr) {
      node = std::make_shared<Node>();
      if (set.meta.kind == Kind::FILE) node->content = std::make_shared<Content>();
    }
    node->meta = set.meta;
  }
  std::erase_if(unnamed, [&](Inode inode) { return nodes.at(inode)->parent != NONE; });
  for (auto inode: unnamed) {
    KJ_ASSERT(nodes.at(inode)->names.empty(), "a directory is removed with something in it");
    nodes.erase(inode);
  }
  return unnamed;
}

void TreeImage::tell(const Step& step, const std::vector<Inode>& vanished) {
  for (auto listener: listeners) {
    for (auto& part: step) {
      if (auto put = std::get_if<Put>(&part)) {
        listener->touched(put->directory, put->name);
      } else {
        auto changed = now.find(std::get<Set>(part).node);
        if (changed != now.end() && changed->second->parent != NONE)
          listener->touched(changed->second->parent, changed->second->name);
      }
    }
    for (auto inode: vanished) listener->vanished(inode);
  }
}

// A file is one file in both pictures: its content is theirs together.
void TreeImage::sync() {
  for (auto& step: journal) apply(step, durable);
  journal.clear();
  for (auto& [inode, node]: durable) {
    auto current = now.find(inode);
    KJ_ASSERT(current != now.end(), "what is durable is not what there is");
    if (node->content == nullptr) continue;
    node->content = current->second->content;
    if (!node->content->dirty) continue;
    node->content->durable = node->content->bytes;
    node->content->dirty = false;
  }
}

void TreeImage::losePower() {
  // Of files that are new since the last sync, what was written may be there, too.
  std::map<Inode, std::shared_ptr<Content>> contents;
  for (auto& [inode, node]: now) {
    if (node->content != nullptr) contents[inode] = node->content;
  }
  auto kept = chance.below(journal.size() + 1);
  lost += journal.size() - kept;
  for (size_t i = 0; i < kept; ++i) apply(journal[i], durable);
  journal.clear();
  for (auto& [inode, node]: durable) {
    auto content = contents.find(inode);
    if (content != contents.end()) node->content = content->second;
    if (node->content != nullptr) crash(*node->content);
  }
  now.clear();
  for (auto& [inode, node]: durable) now[inode] = std::make_shared<Node>(*node);
}

void TreeImage::crash(Content& content) {
  auto fate = chance.below(3), torn = chance.below(content.bytes.size() + 1);
  if (!content.dirty) return;
  ++lost;
  if (fate == 0) content.bytes = content.durable;
  if (fate == 1) std::fill(content.bytes.begin() + torn, content.bytes.end(), '\0');
  content.durable = content.bytes;
  content.dirty = false;
}

}  // namespace hearth::sim

#include "tests/storage/crdt/fugue-max.h"

#include <algorithm>

namespace hearth::storage {

void FugueMax::visit(Id id, std::vector<Id>& order) const {
  auto& node = nodes.at(id);
  for (auto child: node.left) visit(child, order);
  order.push_back(id);
  for (auto child: node.right) visit(child, order);
}

std::vector<FugueMax::Id> FugueMax::order() const {
  std::vector<Id> all;
  visit(ROOT, all);
  return all;
}

// The node of the text's code point `at` - 1; the root stands before the first.
FugueMax::Id FugueMax::visibleAt(size_t at) const {
  for (auto id: order()) {
    if (id == ROOT ? at == 0 : !nodes.at(id).erased && --at == 0) return id;
  }
  return ROOT;
}

FugueMax::Insertion FugueMax::inserting(size_t at, Id id, char32_t value) const {
  return insertingBehind(visibleAt(at), id, value);
}

std::vector<FugueMax::Id> FugueMax::allPlaces() const {
  auto all = order();
  all.erase(std::ranges::find(all, ROOT));
  return all;
}

FugueMax::Insertion FugueMax::insertingBehind(Id left, Id id, char32_t value) const {
  auto all = order();
  auto next = std::ranges::find(all, left) + 1;
  auto rightOrigin = next == all.end() ? END : *next;
  if (nodes.at(left).right.empty()) return {id, value, left, false, rightOrigin};
  return {id, value, rightOrigin, true, rightOrigin};
}

FugueMax::Id FugueMax::erasing(size_t at) const { return visibleAt(at + 1); }

void FugueMax::insert(const Insertion& insertion) {
  auto all = order();
  auto place = [&](Id id) { return id == END ? all.end() : std::ranges::find(all, id); };
  auto& parent = nodes.at(insertion.parent);
  auto& siblings = insertion.isLeftChild ? parent.left : parent.right;
  auto before = [&](Id a, const Insertion& b) {
    auto& other = nodes.at(a).made;
    if (!insertion.isLeftChild && other.rightOrigin != b.rightOrigin)
      return place(other.rightOrigin) > place(b.rightOrigin);
    return a < b.id;
  };
  auto at = std::ranges::find_if(siblings, [&](Id id) { return !before(id, insertion); });
  siblings.insert(at, insertion.id);
  nodes[insertion.id].made = insertion;
}

void FugueMax::erase(Id id) { nodes.at(id).erased = true; }

std::u32string FugueMax::text() const {
  std::u32string out;
  for (auto id: order()) {
    if (id != ROOT && !nodes.at(id).erased) out += nodes.at(id).made.value;
  }
  return out;
}

}  // namespace hearth::storage

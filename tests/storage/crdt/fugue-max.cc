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
  auto left = visibleAt(at);
  auto all = order();
  auto next = std::ranges::find(all, left) + 1;
  return insertingBetween(left, next == all.end() ? ROOT : *next, id, value);
}

std::vector<FugueMax::Id> FugueMax::allPlaces() const {
  auto all = order();
  all.erase(std::ranges::find(all, ROOT));
  return all;
}

std::vector<FugueMax::Id> FugueMax::visiblePlaces() const {
  auto all = allPlaces();
  std::erase_if(all, [this](Id id) { return nodes.at(id).erased; });
  return all;
}

bool FugueMax::isBelow(Id id, Id ancestor) const {
  while (id != ancestor && id != ROOT) id = nodes.at(id).made.parent;
  return id == ancestor;
}

FugueMax::Insertion FugueMax::insertingBetween(Id left, Id right, Id id, char32_t value) const {
  bool isAtEnd = right == ROOT;
  if (isAtEnd || !isBelow(right, left)) return {id, value, left, false, isAtEnd ? END : right};
  return {id, value, right, true, right};
}

FugueMax::Id FugueMax::erasing(size_t at) const { return visibleAt(at + 1); }

void FugueMax::insert(const Insertion& insertion) {
  std::vector<Id> all;  // when it is needed
  auto place = [&](Id id) {
    if (all.empty()) all = order();
    return id == END ? all.end() : std::ranges::find(all, id);
  };
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

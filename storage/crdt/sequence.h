#pragma once
// An ordered sequence of items, each with lengths that add up, so that the item at an offset and the
// offset of an item are found in O(log n), and in O(1) where the last one was: people edit where they
// have just edited. A splay tree (Sleator and Tarjan, Self-Adjusting Binary Search Trees, JACM 1985).
//
//   struct Item {
//     struct Sums {
//       uint32_t length = 0;                  // any number of lengths
//       Sums& operator+=(const Sums& other);
//     };
//     Sums sums() const;
//   };

#include <kj/debug.h>

#include <cstdint>
#include <vector>

namespace hearth::storage {

template <typename Item>
class Sequence final {
 public:
  using Sums = typename Item::Sums;
  // Names an item for as long as it is in the sequence.
  using Ref = uint32_t;
  static constexpr Ref NONE = 0;

  Sequence(): nodes(1) {}

  bool isEmpty() const { return root == NONE; }
  Sums total() const { return nodes[root].total; }

  const Item& at(Ref ref) const { return nodes[ref].item; }

  // Changes an item. What `change` does to its lengths is seen at once.
  template <typename F>
  void update(Ref ref, F&& change) {
    splay(ref);
    change(nodes[ref].item);
    pull(ref);
  }

  Ref first() const { return root == NONE ? NONE : leftmost(root); }
  Ref last() const { return root == NONE ? NONE : rightmost(root); }
  Ref next(Ref ref) const { return neighbour<&Node::right, &Node::left>(ref); }
  Ref previous(Ref ref) const { return neighbour<&Node::left, &Node::right>(ref); }

  // The lengths of all that stands before an item.
  Sums before(Ref ref) {
    splay(ref);
    return nodes[nodes[ref].left].total;
  }

  struct Found {
    Ref ref = NONE;
    uint32_t offset = 0;  // within the item
  };

  // The item in which `offset` lies, by one of the lengths; none at or beyond the end. Items of length 0
  // are passed over.
  Found find(uint32_t Sums::* length, uint32_t offset) {
    if (offset >= nodes[root].total.*length) return {};
    Ref ref = root;
    for (;;) {
      auto& node = nodes[ref];
      auto left = nodes[node.left].total.*length;
      if (offset < left) {
        ref = node.left;
        continue;
      }
      auto own = node.item.sums().*length;
      if (offset < left + own) {
        splay(ref);
        return {ref, offset - left};
      }
      offset -= left + own;
      ref = node.right;
    }
  }

  // Behind `ref`, or at the beginning where that is NONE.
  Ref insertAfter(Ref ref, Item item) {
    Ref fresh = allocate(std::move(item));
    auto& node = nodes[fresh];
    if (ref == NONE) {
      node.right = root;
    } else {
      splay(ref);
      node.left = ref;
      node.right = nodes[ref].right;
      nodes[ref].right = NONE;
      pull(ref);
    }
    adopt(fresh, node.left);
    adopt(fresh, node.right);
    root = fresh;
    pull(fresh);
    return fresh;
  }

  void erase(Ref ref) {
    splay(ref);
    auto left = nodes[ref].left, right = nodes[ref].right;
    nodes[left].parent = nodes[right].parent = NONE;
    if (left == NONE) {
      root = right;
    } else {
      root = left;
      splay(rightmost(left));
      nodes[root].right = right;
      adopt(root, right);
      pull(root);
    }
    nodes[NONE] = Node();
    nodes[ref] = Node();
    spare.push_back(ref);
  }

 private:
  struct Node {
    Ref left = NONE, right = NONE, parent = NONE;
    Sums total;
    Item item;
  };

  std::vector<Node> nodes;  // the first stands for none: its total is nothing
  std::vector<Ref> spare;
  Ref root = NONE;

  Ref allocate(Item item) {
    if (spare.empty()) {
      nodes.emplace_back();
      nodes.back().item = std::move(item);
      return static_cast<Ref>(nodes.size() - 1);
    }
    Ref ref = spare.back();
    spare.pop_back();
    nodes[ref].item = std::move(item);
    return ref;
  }

  void adopt(Ref parent, Ref child) {
    if (child != NONE) nodes[child].parent = parent;
  }

  void pull(Ref ref) {
    auto& node = nodes[ref];
    node.total = nodes[node.left].total;
    node.total += node.item.sums();
    node.total += nodes[node.right].total;
  }

  Ref leftmost(Ref ref) const {
    while (nodes[ref].left != NONE) ref = nodes[ref].left;
    return ref;
  }
  Ref rightmost(Ref ref) const {
    while (nodes[ref].right != NONE) ref = nodes[ref].right;
    return ref;
  }

  template <Ref Node::* towards, Ref Node::* away>
  Ref neighbour(Ref ref) const {
    if (auto child = nodes[ref].*towards; child != NONE) {
      while (nodes[child].*away != NONE) child = nodes[child].*away;
      return child;
    }
    auto parent = nodes[ref].parent;
    while (parent != NONE && nodes[parent].*towards == ref) {
      ref = parent;
      parent = nodes[ref].parent;
    }
    return parent;
  }

  // Lifts `ref` over its parent.
  void rotate(Ref ref) {
    auto& node = nodes[ref];
    auto parent = node.parent;
    auto& above = nodes[parent];
    auto grand = above.parent;
    if (above.left == ref) {
      above.left = node.right;
      adopt(parent, node.right);
      node.right = parent;
    } else {
      above.right = node.left;
      adopt(parent, node.left);
      node.left = parent;
    }
    above.parent = ref;
    node.parent = grand;
    if (grand != NONE) (nodes[grand].left == parent ? nodes[grand].left : nodes[grand].right) = ref;
    pull(parent);
  }

  void splay(Ref ref) {
    if (ref == root) return;
    while (nodes[ref].parent != NONE) {
      auto parent = nodes[ref].parent;
      auto grand = nodes[parent].parent;
      if (grand != NONE) {
        bool straight = (nodes[grand].left == parent) == (nodes[parent].left == ref);
        rotate(straight ? parent : ref);
      }
      rotate(ref);
    }
    pull(ref);
    root = ref;
  }
};

}  // namespace hearth::storage

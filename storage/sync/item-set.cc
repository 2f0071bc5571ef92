#include "storage/sync/item-set.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::storage {

void ItemSum::add(const ItemSum& other) {
  unsigned char carry = 0;
  for (size_t i = 0; i < limbs.size(); ++i) {
    auto sum = static_cast<unsigned __int128>(limbs[i]) + other.limbs[i] + carry;
    limbs[i] = static_cast<uint64_t>(sum);
    carry = static_cast<unsigned char>(sum >> 64);
  }
  count += other.count;
}

void ItemSum::subtract(const ItemSum& other) {
  unsigned char borrow = 0;
  for (size_t i = 0; i < limbs.size(); ++i) {
    auto difference = static_cast<unsigned __int128>(limbs[i]) - other.limbs[i] - borrow;
    limbs[i] = static_cast<uint64_t>(difference);
    borrow = (difference >> 64) != 0;
  }
  count -= other.count;
}

void ItemSum::add(const Digest& id) {
  ItemSum one;
  for (size_t i = 0; i < one.limbs.size(); ++i) memcpy(&one.limbs[i], id.bytes + 8 * i, 8);
  one.count = 1;
  add(one);
}

// The leaf in which a name is, or where it belongs.
size_t ItemSet::leafOf(const ItemName& name) const {
  auto after =
      std::ranges::upper_bound(leaves, name, {}, [](auto& leaf) { return leaf.names.front(); });
  return after == leaves.begin() ? 0 : static_cast<size_t>(after - leaves.begin()) - 1;
}

bool ItemSet::contains(const ItemName& name) const {
  return !leaves.empty() && std::ranges::binary_search(leaves[leafOf(name)].names, name);
}

bool ItemSet::insert(const ItemName& name) {
  KJ_REQUIRE(name.time < TIME_MAX, "a time that stands for the end of all");
  if (leaves.empty()) leaves.push_back({{}, {}});
  auto index = leaves.front().names.empty() ? 0 : leafOf(name);
  auto& leaf = leaves[index];
  auto at = std::ranges::lower_bound(leaf.names, name);
  if (at != leaf.names.end() && *at == name) return false;
  leaf.names.insert(at, name);
  leaf.sum.add(name.id);
  total.add(name.id);
  before.resize(std::min(before.size(), index + 1));
  if (leaf.names.size() <= LEAF_MAX) return true;
  // What comes in order fills its leaves; what comes anywhere halves them.
  auto kept = index + 1 == leaves.size() && leaf.names.back() == name ? LEAF_MAX : LEAF_MAX / 2;
  Leaf rest;
  rest.names.assign(leaf.names.begin() + static_cast<ptrdiff_t>(kept), leaf.names.end());
  for (auto& moved: rest.names) rest.sum.add(moved.id);
  leaf.names.resize(kept);
  leaf.sum.subtract(rest.sum);
  leaves.insert(leaves.begin() + static_cast<ptrdiff_t>(index) + 1, std::move(rest));
  return true;
}

void ItemSet::sumUpTo(size_t leaf) const {
  if (before.empty()) before.emplace_back();
  while (before.size() <= leaf) {
    auto next = before.back();
    next.add(leaves[before.size() - 1].sum);
    before.push_back(next);
  }
}

size_t ItemSet::rankOf(const ItemName& bound) const {
  if (leaves.empty()) return 0;
  auto index = leafOf(bound);
  sumUpTo(index);
  auto& names = leaves[index].names;
  auto at = std::ranges::lower_bound(names, bound);
  return before[index].count + static_cast<size_t>(at - names.begin());
}

size_t ItemSet::leafAt(size_t rank) const {
  sumUpTo(leaves.size() - 1);
  auto after = std::ranges::upper_bound(before, rank, {}, &ItemSum::count);
  return std::min(static_cast<size_t>(after - before.begin()), leaves.size()) - 1;
}

const ItemName& ItemSet::at(size_t rank) const {
  KJ_REQUIRE(rank < size(), "a rank beyond the set");
  auto index = leafAt(rank);
  return leaves[index].names[rank - before[index].count];
}

ItemSum ItemSet::sumBefore(size_t rank) const {
  if (rank >= size()) return total;
  auto index = leafAt(rank);
  auto sum = before[index];
  auto& names = leaves[index].names;
  auto count = rank - sum.count;
  if (count <= names.size() / 2) {
    for (size_t i = 0; i < count; ++i) sum.add(names[i].id);
    return sum;
  }
  sum.add(leaves[index].sum);
  ItemSum rest;
  for (size_t i = count; i < names.size(); ++i) rest.add(names[i].id);
  sum.subtract(rest);
  return sum;
}

ItemSum ItemSet::sum(size_t begin, size_t end) const {
  auto sum = sumBefore(end);
  sum.subtract(sumBefore(begin));
  return sum;
}

}  // namespace hearth::storage

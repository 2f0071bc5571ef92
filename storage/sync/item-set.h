#pragma once
// A set of operations by their names, in order, of which any range is summed up in no time: what two devices
// compare to find what one of them lacks (reconciler.h).
//
// Names are kept in leaves of a few hundred, each with its sum, and the sums of all leaves before it: a
// range costs two parts of leaves and a subtraction.

#include "core/base/ids.h"

#include <array>
#include <compare>
#include <cstdint>
#include <vector>

namespace hearth::storage {

// When the operation was made by its author's hybrid logical clock, and its hash. What is new lies close
// together.
struct ItemName {
  uint64_t time = 0;
  Digest id;

  auto operator<=>(const ItemName&) const = default;
};

// The sum of ids as 256-bit numbers, and how many they are. Order does not matter, and a part can be taken
// away again.
struct ItemSum {
  std::array<uint64_t, 4> limbs{};
  uint64_t count = 0;

  bool operator==(const ItemSum&) const = default;
  void add(const ItemSum& other);
  void subtract(const ItemSum& other);
  void add(const Digest& id);
};

class ItemSet final {
 public:
  size_t size() const { return total.count; }

  static constexpr uint64_t TIME_MAX = ~uint64_t{0};

  // Whether it is new. Requires a time before TIME_MAX.
  bool insert(const ItemName& name);
  bool contains(const ItemName& name) const;

  // How many stand before `bound`, which need not be in the set.
  size_t rankOf(const ItemName& bound) const;
  const ItemName& at(size_t rank) const;  // requires rank < size()

  // Of those with ranks [begin, end).
  ItemSum sum(size_t begin, size_t end) const;

 private:
  static constexpr size_t LEAF_MAX = 512;

  struct Leaf {
    std::vector<ItemName> names;  // ascending, never empty
    ItemSum sum;
  };
  std::vector<Leaf> leaves;
  ItemSum total;
  mutable std::vector<ItemSum>
      before;  // of each leaf, as far as it is known: made when it is asked for

  size_t leafOf(const ItemName& name) const;
  size_t leafAt(size_t rank) const;
  void sumUpTo(size_t leaf) const;
  ItemSum sumBefore(size_t rank) const;
};

}  // namespace hearth::storage

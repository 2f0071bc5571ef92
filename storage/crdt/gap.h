#pragma once
// Where a new item of a sequence is put among those between its two neighbours, of which its author knew
// none: in the order of FugueMax, found by Gentle's rule for YATA ("YjsMod"). Every device that has all of
// them puts them in the same order, whatever came first.

#include "storage/crdt/sequence.h"

namespace hearth::storage {

// Places count from the beginning of the sequence; a left neighbour's counts one more, so that 0 is the
// beginning itself.
struct GapPlaces {
  uint32_t left, right;

  bool operator==(const GapPlaces&) const = default;
};

// The item behind which to put the new one; `left` when in doubt, which may be NONE: the beginning. `right`
// may be NONE: the end. `placesOf(ref)` are those of an item's own neighbours, `precedes(ref)` says whether
// the new item comes first of two with the same.
template <typename Item, typename PlacesOf, typename Precedes>
typename Sequence<Item>::Ref placeInGap(const Sequence<Item>& items,
    typename Sequence<Item>::Ref left, typename Sequence<Item>::Ref right, GapPlaces own,
    PlacesOf&& placesOf, Precedes&& precedes) {
  auto after = left;
  bool scanning = false;  // past items that may yet turn out to stand left of the new one
  auto ref = left == Sequence<Item>::NONE ? items.first() : items.next(left);
  for (; ref != right; ref = items.next(ref)) {
    auto other = placesOf(ref);
    if (other.left < own.left) break;
    if (other.left == own.left) {
      if (other.right == own.right && precedes(ref)) break;
      scanning = other.right < own.right;
    }
    if (!scanning) after = ref;
  }
  return after;
}

}  // namespace hearth::storage

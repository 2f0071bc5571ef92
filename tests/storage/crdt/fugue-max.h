#pragma once
// A slow account of how concurrent edits of a text are put in order: the tree of FugueMax (Weidner and
// Kleppmann, The Art of the Fugue, 2023, §4 and Algorithm 1), one node a code point, nothing merged into
// runs, no graph. What Text makes of a history must be what this makes of it.

#include <compare>
#include <map>
#include <string>
#include <vector>

namespace hearth::storage {

class FugueMax final {
 public:
  struct Id {
    int author;  // the first author's is the smallest
    uint32_t number;

    auto operator<=>(const Id&) const = default;
  };
  struct Insertion {
    Id id;
    char32_t value;
    Id parent;
    bool isLeftChild;
    Id rightOrigin;
  };

  // What to send when one inserts, or the node that is deleted, at a position of the text here.
  Insertion inserting(size_t at, Id id, char32_t value) const;
  Id erasing(size_t at) const;

  void insert(const Insertion& insertion);
  void erase(Id id);

  std::u32string text() const;

  // The same between two nodes, of which others say what is shown; ROOT for an end. What stands between them
  // has come from elsewhere as far as the author is concerned.
  Insertion insertingBetween(Id left, Id right, Id id, char32_t value) const;
  std::vector<Id> allPlaces() const;      // in order, without the root
  std::vector<Id> visiblePlaces() const;  // the same without what is erased

  static constexpr Id ROOT{-1, 0};

 private:
  static constexpr Id END{1 << 30, 0};

  struct Node {
    Insertion made;
    bool erased = false;
    std::vector<Id> left, right;
  };
  std::map<Id, Node> nodes{{ROOT, {}}};

  void visit(Id id, std::vector<Id>& order) const;
  bool isBelow(Id id, Id ancestor) const;
  std::vector<Id> order() const;
  Id visibleAt(size_t at) const;
};

}  // namespace hearth::storage

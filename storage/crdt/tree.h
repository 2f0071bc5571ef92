#pragma once
// A document's content as a plain value: what people and other programs see of it.

#include "storage/crdt/document.h"

namespace hearth::storage {

struct Tree {
  struct Counted {
    int64_t total;
    bool operator==(const Counted&) const = default;
  };
  struct Written {
    std::string text;
    bool operator==(const Written&) const = default;
  };
  struct Members {
    std::vector<Tree> values;
    bool operator==(const Members&) const = default;
  };
  using Map = std::map<std::string, Tree>;
  using List = std::vector<Tree>;

  std::variant<Nothing, bool, int64_t, double, std::string, Octets, Map, List, Written, Counted,
      Members>
      value;

  bool operator==(const Tree&) const = default;
};

// Of what several wrote at once, that which is shown.
Tree treeOf(Document& document);
Tree treeOf(Document& document, Event container);
Tree treeOf(Document& document, const Place& place);  // that is not empty

}  // namespace hearth::storage

#pragma once
// A slow account of documents: each operation with the whole set of operations that its author had seen, and
// every answer worked out from the definitions each time it is asked. No runs, no versions, no trees that are
// kept. What Document makes of a history must be what this makes of it.

#include "storage/crdt/tree.h"
#include "tests/storage/crdt/fugue-max.h"

#include <set>

namespace hearth::storage {

class SlowDocument final {
 public:
  struct Id {
    uint64_t lamport = 0;
    int author = 0;
    uint32_t number = 0;

    auto operator<=>(const Id&) const = default;
  };

  struct Did {
    Id id;
    std::set<Id> seen;
    Op::Kind kind;
    Id object;  // {} is the document itself
    std::string key;
    Value value;
    Id element;
    FugueMax::Insertion made{};  // of TYPE, INSERT and MOVE
    FugueMax::Id gone{};         // of ERASE
  };

  // Operations by one who sees the document as it is here.
  Did begin(int author, Op::Kind kind, Id object) const;
  FugueMax& sequence(Id object) { return sequences[object]; }

  void take(const Did& did);
  const std::map<Id, Did>& all() const { return dids; }

  Tree tree() const { return treeOf(Id{}, Container::MAP); }
  std::vector<Id> listed(Id list) const;  // elements, in order

 private:
  std::map<Id, Did> dids;
  std::map<Id, FugueMax> sequences;
  std::map<Id, std::map<FugueMax::Id, Id>> places;  // of lists: what each is a place of, by its op

  std::vector<const Did*> of(Id object) const;
  std::vector<const Did*> notReplaced(
      std::vector<const Did*> writes, const std::vector<const Did*>& by) const;
  Tree shown(const Did& write) const;
  Tree treeOf(Id object, Container kind) const;
  Tree mapOf(Id object) const;
  Tree listOf(Id object) const;
  Tree setOf(Id object) const;
};

}  // namespace hearth::storage

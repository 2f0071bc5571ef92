#pragma once
// A slow account of documents, written from what docs/PROTOCOL.md, "Documents", says: each operation with
// the whole set of operations that its author had seen, and every answer worked out from the definitions each
// time it is asked. No runs, no versions, no trees that are kept. What Document makes of a history must be
// what this makes of it.

#include "storage/crdt/tree.h"
#include "tests/storage/crdt/fugue-max.h"

#include <set>

namespace hearth::storage {

// Every operation that anybody has made, in the order in which they were made.
class SlowHistory final {
 public:
  using Id = FugueMax::Id;  // author and number; ROOT is the document itself

  struct Did {
    Id id;
    uint64_t lamport;
    std::vector<bool> seen;  // by its author, of those before it
    Op::Kind kind;
    Id object;
    std::string key{};
    Value value{};
    Id element = FugueMax::ROOT;
    FugueMax::Insertion made{};  // of TYPE, INSERT and MOVE
    Id gone = FugueMax::ROOT;    // of ERASE and BACKSPACE
    int64_t timeMs = 0;
    uint32_t run = 0;  // of what was typed in one go; 0: none

    bool hasSeen(size_t other) const { return other < seen.size() && seen[other]; }
    bool isLaterThan(const Did& other) const {
      return std::pair(lamport, id) > std::pair(other.lamport, other.id);
    }
  };

  size_t add(Did did);
  size_t size() const { return dids.size(); }
  const Did& at(size_t index) const { return dids[index]; }
  size_t indexOf(Id id) const { return indexes.at(id); }

 private:
  std::vector<Did> dids;
  std::map<Id, size_t> indexes;
};

// What one device has of it.
class SlowDocument final {
 public:
  using Id = SlowHistory::Id;
  using Did = SlowHistory::Did;

  explicit SlowDocument(const SlowHistory& history): history(&history) {}

  // An operation by one who sees the document as it is here.
  Did begin(int author, Op::Kind kind, Id object) const;
  const FugueMax& sequence(Id object) { return sequences[object]; }

  // Takes one whose past is here.
  void take(size_t index);
  bool has(size_t index) const { return index < known.size() && known[index]; }

  Tree tree() const { return treeOf(FugueMax::ROOT, Container::MAP); }

 private:
  const SlowHistory* history;
  std::vector<bool> known;
  std::map<Id, FugueMax> sequences;

  std::vector<const Did*> of(Id object) const;
  std::vector<const Did*> notReplaced(
      std::vector<const Did*> writes, const std::vector<const Did*>& by) const;
  Tree shown(const Did& write) const;
  Tree treeOf(Id object, Container kind) const;
  Tree mapOf(Id object) const;
  Tree listOf(Id object) const;
  Tree setOf(Id object) const;
  std::vector<Id> listed(Id list) const;  // elements, in order
};

}  // namespace hearth::storage

#pragma once
// Ops that have come and cannot be stored yet: some of what they rest on is not there, or their author
// floods the log (floods.h) and nobody else is known yet to rest on them. Bounded: where there is no room
// the oldest op of the author with the most gives way, so that nobody crowds the others out.

#include "crypto/membership/op.h"

#include <list>
#include <map>

namespace hearth::crypto {

class WaitingOps final {
 public:
  static constexpr size_t OPS_MAX = 1'024;
  static constexpr size_t BYTES_MAX = 8 << 20;

  WaitingOps() = default;
  WaitingOps(const WaitingOps& other) { *this = other; }
  WaitingOps& operator=(const WaitingOps& other);

  // One that is there already is dropped.
  void put(SealedOp&& op);
  // The op is there.
  SealedOp take(const OpHash& hash);

  const SealedOp* find(const OpHash& hash) const;
  // Whether an op that waits directly rests on that one.
  bool isWanted(const OpHash& hash) const { return wanted.contains(hash); }
  const std::list<SealedOp>& all() const { return ops; }

 private:
  using Place = std::list<SealedOp>::iterator;

  std::list<SealedOp> ops;  // the oldest in front
  std::map<OpHash, Place> places;
  std::map<OpHash, size_t> wanted;
  std::map<DeviceId, size_t> byAuthor;
  size_t bytes = 0;

  void drop(Place op);
  void makeRoom();
};

}  // namespace hearth::crypto

#pragma once
// Resolution (SECURITY.md §5.4): what a set of ops says, as a pure function of the set. Neither the
// order in which ops arrived nor any clock has a part in it.

#include "crypto/membership/floods.h"
#include "crypto/membership/fold.h"

namespace hearth::crypto {

struct Resolution {
  OpSet set;
  OpSet voided;  // ops of the set that do not apply
  Standing standing;
  Fold fold;
  Floods floods;
  CircleState state;
};

// `set` is closed under pasts; the records of its ops are complete.
Resolution resolve(const OpTable& table, const OpSet& set);

// The same as resolving the set and `top`, an op whose past is the whole set: nothing is beside it,
// so one more step of Fold does.
Resolution extend(const OpTable& table, const Resolution& past, OpIndex top);

// Keeps the newest resolutions of one growing table, from which those of longer sets follow in one
// step. A copy goes on by itself.
class Resolver final {
 public:
  static constexpr size_t KEPT_MAX = 16;  // devices that write beside each other

  // Valid until KEPT_MAX others have been asked for.
  const Resolution& of(const OpTable& table, const OpSet& set);

 private:
  std::deque<std::shared_ptr<const Resolution>> kept;  // the last one used in front

  const Resolution* find(const OpSet& set);
  Resolution make(const OpTable& table, const OpSet& set);
};

}  // namespace hearth::crypto

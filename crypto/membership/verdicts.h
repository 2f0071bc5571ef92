#pragma once
// Which removals, makers of admins and forks of a set of ops win through against each other, and
// what falls by them (SECURITY.md §5.4, rules 1 to 5, 7 and 8).

#include "crypto/membership/records.h"

namespace hearth::crypto {

struct Verdicts {
  Standing standing;
  OpSet fallen;  // nodes that do not stand, and all ops that those which do make void
};

// `set` is closed under pasts; the records of its ops are complete.
Verdicts judgeNodes(const OpTable& table, const OpSet& set);

}  // namespace hearth::crypto

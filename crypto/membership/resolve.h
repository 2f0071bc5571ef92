#pragma once
// Resolution (SECURITY.md §5.4): what a set of ops says, as a pure function of the set. Neither the
// order in which ops arrived nor any clock has a part in it.

#include "crypto/membership/records.h"

namespace hearth::crypto {

// `set` is closed under pasts; the records of its ops are complete.
CircleState resolve(const OpRecords& records, const OpSet& set);

}  // namespace hearth::crypto

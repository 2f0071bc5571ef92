#pragma once
// Authors that write rival ops without end (docs/adr/0071). A device that was cloned has a few; one that
// has more than that means harm, and the limits of §5.1 do not stop it: no past need hold its rivals.
//
// The surplus of an author in a set is how many ops it holds beyond one for each of the author's numbers.
// An author with more than SURPLUS_MAX floods the set: it is suspended for good, and of its ops those alone
// count on which somebody rests who does not flood. Whatever else of it a device has stored or not, sets
// that hold the same ops of everybody else mean the same.

#include "crypto/membership/records.h"

#include <set>

namespace hearth::crypto {

constexpr size_t SURPLUS_MAX = 16;

struct Floods {
  std::set<DeviceId> authors;
  OpSet outside;  // their ops on which nobody else rests
};
Floods floodsIn(const OpTable& table, const OpSet& set);

// Whether the author floods all that the table holds.
bool hasFlooded(const OpTable& table, const DeviceId& author);

// Of an op's past. One whose past is flooded may not be the first to rest on any part of the flood: so
// every lineage brings in SURPLUS_MAX of an author at the most.
// Errors: LIMIT_EXCEEDED.
Result<void> checkFloods(const OpTable& table, const OpSet& past);

}  // namespace hearth::crypto

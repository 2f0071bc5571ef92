#pragma once
// The ops of a log with what was found out about each once and for all: its causal past, whether its
// own past authorises it, and on which ops its authority rests. Ops stand in a topological order, so
// an index names an op and a set of indexes names a set of ops.

#include "crypto/membership/state.h"

#include <variant>

namespace hearth::crypto {

using OpIndex = uint32_t;
using OpSet = std::set<OpIndex>;

struct OpRecord {
  SealedOp sealed;
  std::variant<GenesisPayload, AddPayload, RemovePayload, EpochPayload> payload;
  kj::Maybe<Bundle> bundle;  // that Genesis or Add brings in
  OpSet past;

  // In state(op), the resolution of its past:
  bool authorised = false;
  uint32_t weight = 0;
  bool raisesAdmin = false;   // row 3 of §5.2: makes an ADMIN
  bool removesAdmin = false;  // row 2 of §5.2
  OpSet rests;

  const Op& op() const { return sealed.op; }
  bool isRemoval() const { return std::holds_alternative<RemovePayload>(payload); }
  const RemovePayload& removal() const { return std::get<RemovePayload>(payload); }
};

using OpRecords = std::vector<OpRecord>;

inline bool concurrent(const OpRecords& records, OpIndex a, OpIndex b) {
  return a != b && !records[a].past.contains(b) && !records[b].past.contains(a);
}

}  // namespace hearth::crypto

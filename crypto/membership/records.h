#pragma once
// The ops of a log with what was found out about each once and for all: its causal past, whether its
// own past authorises it, and on which ops its authority rests. Ops stand in a topological order.

#include "crypto/membership/op-set.h"
#include "crypto/membership/op.h"
#include "crypto/membership/payloads.h"

#include <deque>
#include <map>
#include <memory>

namespace hearth::crypto {

// A bundle and the envelope in which its device signed it.
struct SignedBundle {
  Bundle bundle;
  std::vector<kj::byte> envelope;
};
using SignedBundlePtr = std::shared_ptr<const SignedBundle>;

// The rows of SECURITY.md §5.2, by the number of signatures that they ask for.
enum class Row : uint8_t { ANY_ADMIN = 1, UNMAKES_ADMIN = 2, MAKES_ADMIN = 3, OWN_KEY, RECOVERY };

constexpr uint32_t WEIGHT_RECOVERY = 3;

// Rival ops: one author, one seq, two or more ops (§5.4, rule 7).
struct Fork {
  DeviceId author;
  uint64_t seq = 0;
  OpSet ops;
  int32_t force = -1;

  bool isSame(const Fork& other) const {
    return author == other.author && seq == other.seq && ops == other.ops;
  }
};

// Which removals, makers of admins and forks of a set have won through (§5.4).
struct Standing {
  OpSet nodes;
  OpSet suspending;  // removals that stand as suspensions of their targets (rule 4)
  std::vector<Fork> forks;

  // What of it is to be seen in the past of an op.
  Standing within(const OpSet& past) const;
  bool isSame(const Standing& other) const;
};

struct OpRecord {
  SealedOp sealed;
  Payload payload;
  SignedBundlePtr bundle;  // that the op brings in or changes
  OpSet past;

  // In state(op), the resolution of its past:
  bool authorised = false;
  Row row = Row::ANY_ADMIN;
  uint32_t weight = 0;
  bool byRecoveryKey = false;  // its author is one
  OpSet rests;
  OpSet voidBefore;
  Standing before;

  const Op& op() const { return sealed.op; }
  template <typename PayloadType>
  const PayloadType* as() const {
    return std::get_if<PayloadType>(&payload);
  }

  // Rows 2 and 3 of §5.2: it makes or unmakes an ADMIN, or changes what rules all.
  bool isGrave() const { return row == Row::UNMAKES_ADMIN || row == Row::MAKES_ADMIN; }
  // Remove, Leave and demotion of an ADMIN: what takes a device's part in the circle.
  bool isRemoval() const;
  bool makesAdmin() const;  // Add of, promotion to, Reinstate of an ADMIN
  DeviceId target() const;  // of a removal
  bool isSignedBy(const DeviceId& id) const;
};

class OpTable final {
 public:
  OpIndex add(OpRecord&& record);

  const OpRecord& operator[](OpIndex op) const { return records[op]; }
  OpIndex size() const { return static_cast<OpIndex>(records.size()); }
  auto begin() const { return records.begin(); }
  auto end() const { return records.end(); }

  kj::Maybe<OpIndex> find(const OpHash& hash) const;
  bool concurrent(OpIndex a, OpIndex b) const {
    return a != b && !records[a].past.contains(b) && !records[b].past.contains(a);
  }

  const OpSet& writtenBy(const DeviceId& author) const { return lookUp(writings, author); }
  // Ops that the device or recovery key has signed, as author or cosigner.
  const OpSet& signedBy(const DeviceId& id) const { return lookUp(signings, id); }
  // Ops that made the device or recovery key what it is: brought it in, set its role, reinstated it.
  const OpSet& groundsOf(const DeviceId& id) const { return lookUp(grounds, id); }
  const OpSet& epochs() const { return epochOps; }
  const OpSet& heads() const { return headOps; }  // ops without a successor
  // Sets of rival ops, two or more in each, by author and seq. Recovery keys have no chain to fork.
  const std::map<std::pair<DeviceId, uint64_t>, OpSet>& rivals() const { return rivalOps; }

 private:
  using Index = std::map<DeviceId, OpSet>;

  std::deque<OpRecord> records;
  std::map<OpHash, OpIndex> indexes;
  Index writings, signings, grounds;
  OpSet epochOps, headOps;
  std::map<std::pair<DeviceId, uint64_t>, OpIndex> firstBySeq;
  std::map<std::pair<DeviceId, uint64_t>, OpSet> rivalOps;

  static const OpSet& lookUp(const Index& index, const DeviceId& id);
};

}  // namespace hearth::crypto

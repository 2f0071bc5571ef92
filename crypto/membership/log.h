#pragma once
// The membership log of one circle: takes ops in any order, keeps those that are well founded, and
// says what they mean together.

#include "crypto/membership/records.h"

#include <deque>

namespace hearth::crypto {

class MembershipLog final {
 public:
  static constexpr size_t OPS_MAX = 65'536;
  // Ops whose parents have not come yet; the oldest is dropped.
  static constexpr size_t WAITING_OPS_MAX = 1'024;
  static constexpr size_t WAITING_BYTES_MAX = 8 << 20;

  explicit MembershipLog(CircleId circle): circleId(circle) {}

  enum class Taken : uint8_t { STORED, KNOWN, WAITING };

  // Takes one op. STORED ops, and those that were waiting for them, appear behind the ones that
  // were there: envelopes(count before) are the new ones, to be stored and passed on. An op that
  // is stored need not apply: state() says.
  // Errors: those of SealedOp::open; BAD_SIGNATURE; BAD_FORMAT for one of another circle or an
  // author's chain that does not fit; LIMIT_EXCEEDED.
  Result<Taken> add(Bytes envelope);

  const CircleId& circle() const { return circleId; }
  const CircleState& state() const { return resolved; }
  size_t size() const { return records.size(); }
  bool has(const OpHash& hash) const { return indexes.contains(hash); }

  // Envelopes from the given place on, in topological order.
  std::vector<Bytes> envelopes(size_t from = 0) const;

  // Ops without a successor. At most Op::PARENTS_MAX of them, the newest.
  std::vector<OpHash> heads() const;

  // Envelopes that a peer lacks which has these ops and all before them. Hashes that are not known
  // here say nothing.
  std::vector<Bytes> envelopesBeyond(const std::vector<OpHash>& peerHeads) const;

  // The causal past of the op that removed the device, and that op (SECURITY.md §5.7).
  std::vector<Bytes> envelopesForRemoved(const DeviceId& device) const;

  // Newest op of each author: seq and hash.
  std::map<DeviceId, std::pair<uint64_t, OpHash>> newestByAuthor() const;

  // An op by `author` on top of everything, without kind and payload.
  Op draft(const DeviceId& author) const;

  const OpRecords& ops() const { return records; }

 private:
  CircleId circleId;
  OpRecords records;
  std::map<OpHash, OpIndex> indexes;
  CircleState resolved;
  std::deque<SealedOp> waiting;
  size_t waitingBytes = 0;

  Result<void> store(SealedOp&& op);
  bool hasParents(const SealedOp& op) const;
  OpSet pastOf(const SealedOp& op) const;
  Result<void> checkChain(const OpRecord& record) const;
  Result<void> checkSignatures(const OpRecord& record, const CircleState& state) const;
  void judge(OpRecord& record, const CircleState& state) const;
  OpSet restsOf(const OpRecord& record, const CircleState& state) const;
  void enqueue(SealedOp&& op);
  void retryWaiting();
};

}  // namespace hearth::crypto

#pragma once
// The membership log of one circle: takes ops in any order, keeps those that are well founded, and
// says what they mean together.

#include "crypto/membership/resolve.h"
#include "crypto/membership/waiting.h"

#include <set>

namespace hearth::crypto {

struct LogFork {
  Bytes first, second;  // envelopes
};

class MembershipLog final {
 public:
  static constexpr size_t OPS_MAX = 16'384;
  // Of one author, ops that rest on rivals and turn out to be none. Whoever has that many is not heard.
  static constexpr size_t BAD_RESTS_MAX = 8;

  explicit MembershipLog(CircleId circle): circleId(circle) {}

  enum class Taken : uint8_t { STORED, KNOWN, WAITING };

  // Takes one op. STORED ops, and those that were waiting for them, appear behind the ones that
  // were there: envelopes(count before) are the new ones, to be stored and passed on. An op that
  // is stored need not apply: applies() says.
  // Errors: those of SealedOp::open, decodePayload, Bundle::open and checks.h; BAD_FORMAT for one of
  // another circle; LIMIT_EXCEEDED when the log is full.
  Result<Taken> add(Bytes envelope);

  const CircleId& circle() const { return circleId; }
  const CircleState& state() const { return resolution().state; }
  bool applies(const OpHash& hash) const;
  // Whether the op would apply on top of all that this log holds, once everybody whom it lists has signed
  // it: for who is asked to sign.
  // Errors: STALE when it does not stand on all of it; NOT_AUTHORISED; those of add(), signatures left
  // out.
  Result<void> wouldApply(const Op& op) const;
  // What plugins, signers and models must not run any more.
  std::set<PluginRevokePayload> revoked() const;
  size_t size() const { return table.size(); }
  bool has(const OpHash& hash) const { return table.find(hash) != nullptr; }

  // Envelopes from the given place on, in topological order.
  std::vector<Bytes> envelopes(size_t from = 0) const;

  // Whether the device has written rival ops without end: it is suspended, and no Reinstate helps.
  bool hasFlooded(const DeviceId& device) const { return crypto::hasFlooded(table, device); }

  // Ops without a successor, save those that a flood leaves outside. At most Op::PARENTS_MAX of them, the newest.
  std::vector<OpHash> heads() const;

  // Envelopes that a peer lacks which has these ops and all before them. Hashes that are not known
  // here say nothing.
  std::vector<Bytes> envelopesBeyond(const std::vector<OpHash>& peerHeads) const;

  // Two rival ops of one author, for each number that it has used twice. Those of them that the peer
  // lacks one of, or of which one stands at `from` or behind it.
  std::vector<LogFork> forksBeyond(const std::vector<OpHash>& peerHeads) const;
  std::vector<LogFork> forksSince(size_t from) const;

  // The causal past of the op that removed the device, and that op (SECURITY.md §5.7).
  std::vector<Bytes> envelopesForRemoved(const DeviceId& device) const;

  // Newest op of each author: seq and hash.
  std::map<DeviceId, std::pair<uint64_t, OpHash>> newestByAuthor() const;

  // An op by `author` on top of everything, without kind and payload.
  Op draft(const DeviceId& author) const;

  const OpTable& ops() const { return table; }

 private:
  CircleId circleId;
  OpTable table;
  mutable Resolver resolver;  // a memory of pure results
  WaitingOps waiting;
  std::map<DeviceId, size_t> badRests;

  Result<void> store(SealedOp&& op);
  Result<void> checkFoundation(const OpRecord& record, const Resolution& past) const;
  bool hasParents(const SealedOp& op) const;
  OpSet heldBy(const std::vector<OpHash>& peerHeads) const;
  std::vector<LogFork> forksWithin(const OpSet& fresh) const;
  OpSet pastOf(const SealedOp& op) const;
  const Resolution& resolution() const;
  Bytes envelopeOf(OpIndex op) const;
  Taken hold(SealedOp&& op);
  OpSet counted() const;  // all but what floods leave outside
  OpSet headOps() const;
  void retryWaiting();
  bool storeReady();
  kj::Maybe<std::vector<OpHash>> heldBackBefore(const SealedOp& op) const;
  void storeWith(const std::vector<OpHash>& heldBack, SealedOp&& op);
  bool isSignedByMember(const SealedOp& op) const;
};

}  // namespace hearth::crypto

#include "crypto/membership/records.h"

#include <algorithm>

namespace hearth::crypto {

namespace {

// Whose standing in the circle the op makes.
std::vector<DeviceId> madeBy(const OpRecord& record) {
  if (auto* genesis = record.as<GenesisPayload>())
    return {record.bundle->bundle.id(), recoveryId(genesis->recoveryEd, genesis->recoveryXw)};
  if (auto* reset = record.as<RecoveryResetPayload>())
    return {record.bundle->bundle.id(), recoveryId(reset->recoveryEd, reset->recoveryXw)};
  if (record.as<AddPayload>() || record.as<RotateKeysPayload>())
    return {record.bundle->bundle.id()};
  if (auto* set = record.as<SetRolePayload>()) return {set->target};
  if (auto* reinstate = record.as<ReinstatePayload>()) return {reinstate->target};
  return {};
}

}  // namespace

Standing Standing::within(const OpSet& past) const {
  Standing seen{.nodes = nodes & past, .suspending = suspending & past};
  for (auto& fork: forks) {
    auto ops = fork.ops & past;
    if (ops.count() >= 2) seen.forks.push_back({fork.author, fork.seq, ops, fork.force});
  }
  return seen;
}

bool Standing::isSame(const Standing& other) const {
  return nodes == other.nodes && suspending == other.suspending &&
      std::ranges::equal(
          forks, other.forks, [](const Fork& a, const Fork& b) { return a.isSame(b); });
}

bool OpRecord::isRemoval() const {
  bool demotion = as<SetRolePayload>() && row == Row::UNMAKES_ADMIN;
  return as<RemovePayload>() || as<LeavePayload>() || demotion;
}

bool OpRecord::makesAdmin() const {
  return row == Row::MAKES_ADMIN &&
      (as<AddPayload>() || as<SetRolePayload>() || as<ReinstatePayload>());
}

DeviceId OpRecord::target() const {
  if (auto* remove = as<RemovePayload>()) return remove->target;
  if (auto* set = as<SetRolePayload>()) return set->target;
  return op().author;
}

bool OpRecord::isSignedBy(const DeviceId& id) const {
  return op().author == id || std::ranges::find(op().cosigners, id) != op().cosigners.end();
}

OpIndex OpTable::add(OpRecord&& record) {
  auto index = size();
  auto& op = record.op();
  indexes[record.sealed.hash] = index;
  writings[op.author].insert(index);
  for (auto& signer: record.sealed.signers()) signings[signer].insert(index);
  for (auto& made: madeBy(record)) grounds[made].insert(index);
  if (record.as<EpochPayload>()) epochOps.insert(index);
  headOps -= record.past;
  headOps.insert(index);
  if (!record.byRecoveryKey) {
    auto [first, isFirst] = firstBySeq.try_emplace({op.author, op.seq}, index);
    if (!isFirst) {
      auto& rivals = rivalOps[first->first];
      rivals.insert(first->second);
      rivals.insert(index);
    }
  }
  records.push_back(kj::mv(record));
  return index;
}

kj::Maybe<OpIndex> OpTable::find(const OpHash& hash) const {
  auto found = indexes.find(hash);
  if (found == indexes.end()) return nullptr;
  return found->second;
}

const OpSet& OpTable::lookUp(const Index& index, const DeviceId& id) {
  static const OpSet NONE;
  auto found = index.find(id);
  return found == index.end() ? NONE : found->second;
}

}  // namespace hearth::crypto

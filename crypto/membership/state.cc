#include "crypto/membership/state.h"

#include "core/base/flat.h"
#include "crypto/primitives/hash.h"

#include <algorithm>

namespace hearth::crypto {

namespace {

template <typename Predicate>
size_t countDevices(const CircleState& state, Predicate predicate) {
  return static_cast<size_t>(
      std::ranges::count_if(state.devices, [&](auto& entry) { return predicate(entry.second); }));
}

}  // namespace

Digest stateHash(std::vector<StateRow> rows) {
  std::ranges::sort(rows, {}, &StateRow::id);
  FlatWriter out;
  for (auto& row: rows) {
    out.bytes(row.id.asBytes()).u8(static_cast<uint8_t>(row.role));
    out.u8(static_cast<uint8_t>(row.status)).bytes(row.bundle.asBytes());
  }
  return hashAs<Digest>("hearth/state/v1", {out.asBytes()});
}

bool CircleState::epochDue() const {
  KJ_IF_MAYBE(current, epoch) return current->stale || current->incomplete;
  return true;
}

size_t CircleState::countActive() const {
  return countDevices(*this, [](const Member& member) { return member.isActive(); });
}

size_t CircleState::countAdmins() const {
  return countDevices(*this, [](const Member& member) {
    return member.role == Role::ADMIN && (member.isActive() || member.isSuspended());
  });
}

size_t CircleState::countActiveAdmins() const {
  return countDevices(
      *this, [](const Member& member) { return member.role == Role::ADMIN && member.isActive(); });
}

kj::Maybe<const Member&> CircleState::find(const DeviceId& id) const {
  auto found = devices.find(id);
  if (found == devices.end()) return nullptr;
  return found->second;
}

Digest CircleState::hash() const {
  std::vector<StateRow> rows;
  for (auto& [id, member]: devices)
    rows.push_back({id, member.role, member.status, member.bundle().hash()});
  return stateHash(kj::mv(rows));
}

std::map<DeviceId, Sealed> epochRecipients(const CircleState& state) {
  std::map<DeviceId, Sealed> recipients;
  KJ_IF_MAYBE(recovery, state.recovery) recipients[recovery->id] = Sealed::EPOCH_SECRET;
  for (auto& [id, member]: state.devices) {
    if (!member.isActive()) continue;
    recipients[id] = member.role == Role::VAULT ? Sealed::VAULT_PSK : Sealed::EPOCH_SECRET;
  }
  return recipients;
}

}  // namespace hearth::crypto

#include "crypto/membership/state.h"

#include <algorithm>

namespace hearth::crypto {

bool CircleState::epochDue() const {
  KJ_IF_MAYBE(current, epoch) return current->stale || current->incomplete;
  return true;
}

size_t CircleState::countActive() const {
  return static_cast<size_t>(std::count_if(
      devices.begin(), devices.end(), [](auto& entry) { return entry.second.isActive(); }));
}

size_t CircleState::countAdmins() const {
  return static_cast<size_t>(std::count_if(devices.begin(), devices.end(), [](auto& entry) {
    auto& member = entry.second;
    return member.role == Role::ADMIN &&
        (member.isActive() || member.status == MemberStatus::SUSPENDED);
  }));
}

kj::Maybe<const Member&> CircleState::find(const DeviceId& id) const {
  auto found = devices.find(id);
  if (found == devices.end()) return nullptr;
  return found->second;
}

}  // namespace hearth::crypto

#include "simulator/story/circles.h"

#include <map>

namespace hearth::sim {

std::vector<Circle> circles(Run& run) {
  std::map<std::string, Circle> byName;
  for (DeviceIndex i = 0; i < run.world.deviceCount(); ++i) {
    auto& device = run.world.device(i);
    KJ_IF_MAYBE(node, device.node()) byName[run.circleOf(device)].push_back({device, *node});
  }
  std::vector<Circle> all;
  for (auto& [name, circle]: byName) all.push_back(kj::mv(circle));
  return all;
}

bool isRemoved(const Circle& circle, const Device& device) {
  KJ_IF_MAYBE(id, device.id()) {
    for (auto& other: circle) {
      KJ_IF_MAYBE(member, other.node.circle().state().find(*id)) {
        if (!member->isActive()) return true;
      }
    }
  }
  return false;
}

Circle membersOf(const Circle& circle) {
  Circle inside;
  for (auto& one: circle) {
    if (!isRemoved(circle, one.device)) inside.push_back(one);
  }
  return inside;
}

}  // namespace hearth::sim

#include "simulator/story/bounds.h"

#include "transport/link/ferry.h"

namespace hearth::sim {

void Bounds::look(World& world) {
  for (DeviceIndex i = 0; i < world.deviceCount(); ++i) {
    auto& device = world.device(i);
    KJ_IF_MAYBE(node, device.node()) {
      for (auto& link: node->linksUp()) late += link.live.dropped + link.live.late > 0;
      for (auto& holding: node->holdings()) {
        atLimit += holding.now == holding.most;
        carrying += holding.what == transport::Ferry::HELD && holding.now > 0;
        if (holding.now <= holding.most || !known.insert({i, holding.what}).second) continue;
        violations.push_back({world.time.now(), i, "bounded",
            device.called() + " holds " + std::to_string(holding.now) + " of at most " +
                std::to_string(holding.most) + " " + holding.what});
      }
    }
  }
}

}  // namespace hearth::sim

#include "simulator/story/bounds.h"

#include "transport/link/ferry.h"

namespace hearth::sim {

void Bounds::look(World& world) {
  for (DeviceIndex i = 0; i < world.deviceCount(); ++i) {
    auto& device = world.device(i);
    KJ_IF_MAYBE(node, device.node()) {
      for (auto& link: node->linksUp()) lookAt(world, link);
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

// Whoever calls a NAT's own address and is let in has been expected there.
void Bounds::lookAt(World& world, const transport::LinkView& link) {
  late += link.live.dropped + link.live.late > 0;
  if (link.path.kind != transport::Path::Kind::UDP) return;
  ++datagrams;
  auto outside = kj::StringPtr(link.address.c_str());
  for (NetworkIndex network = 0; network < world.terrain.networkCount(); ++network)
    holes += link.initiated && outside.startsWith(kj::str(toText(Terrain::natOf(network)), ':'));
}

}  // namespace hearth::sim

#include "transport/link/links.h"

namespace hearth::transport {

std::vector<LinkView> Links::views() {
  std::vector<LinkView> shown;
  for (auto& [id, peer]: peers) {
    if (peer.link.get() == nullptr || !peer.link->isCarrying()) continue;
    auto& link = *peer.link;
    shown.push_back({id, link.path(), link.address().cStr(), link.initiated(),
        tools.timer.now() - peer.since, peer.session->carriers(), peer.session->traffic(),
        peer.session->lanes().lanes.live(), link.facts()});
  }
  return shown;
}

}  // namespace hearth::transport

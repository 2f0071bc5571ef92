#include "transport/link/links.h"

namespace hearth::transport {

std::vector<LinkView> Links::views() {
  std::vector<LinkView> shown;
  for (auto& [id, peer]: peers) {
    if (peer.link.get() == nullptr) continue;
    auto& link = *peer.link;
    shown.push_back({id, link.path(), link.address().cStr(), link.initiated(),
        tools.timer.now() - peer.since, link.facts()});
  }
  return shown;
}

}  // namespace hearth::transport

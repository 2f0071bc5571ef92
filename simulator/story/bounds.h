#pragma once
// Memory stays bounded: what every daemon holds (core/base/holding.h) is looked at while time
// passes, and must never be more than it may hold.

#include "simulator/fleet/world.h"
#include "simulator/story/outcome.h"

#include <set>

namespace hearth::sim {

class Bounds final {
 public:
  void look(World& world);

  // The first time that each device held too much of a kind.
  const std::vector<Violation>& broken() const { return violations; }

  // How often something was found as full as it may be.
  uint64_t reached() const { return atLimit; }

  // How often a device was found carrying for two others.
  uint64_t carried() const { return carrying; }

  // How often a link was found that goes by datagrams; and one of these to a device behind a NAT, which
  // that had to let in.
  uint64_t byUdp() const { return datagrams; }
  uint64_t punched() const { return holes; }

  // How often a link's own counts were found to name live frames that were late, at either of its ends.
  uint64_t lateFrames() const { return late; }

 private:
  std::vector<Violation> violations;
  std::set<std::pair<DeviceIndex, std::string>> known;
  uint64_t atLimit = 0;
  uint64_t carrying = 0;
  uint64_t late = 0;
  uint64_t datagrams = 0;
  uint64_t holes = 0;

  void lookAt(World& world, const transport::LinkView& link);
};

}  // namespace hearth::sim

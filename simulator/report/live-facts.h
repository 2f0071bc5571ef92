#pragma once
// What LiveView shows of a world. To look must change nothing: batteries, which settle when they are
// asked, are read from the history's newest "battery" events.

#include "simulator/fleet/world.h"
#include "simulator/report/live-view.h"

namespace hearth::sim {

class LiveFacts final {
 public:
  // The world outlives the facts.
  LiveFacts(World& world, std::string title): world(world), title(kj::mv(title)) {}

  LiveStatus status(double wallS);

 private:
  World& world;
  std::string title;
  size_t eventsRead = 0;
  std::map<int, std::string> lastFaults;  // by device; -1: of the world
  std::map<int, double> batteries;

  LiveDevice deviceNow(Device& device);
  void readNewEvents();
};

}  // namespace hearth::sim

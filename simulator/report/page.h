#pragma once
// Writes what happened in a world as one HTML page that needs nothing beside itself: every device's
// life on a time line, the messages around an instant, who was chosen for which work and why. Its
// policy forbids the browser to load anything. Equal parts give equal pages, wall and CPU time aside.
//
//   History, Outcome, names ──▶ one JSON object ──▶ page.html + page.css + *.js + the object

#include "simulator/story/outcome.h"

#include <kj/string.h>

#include <string>
#include <vector>

namespace hearth::sim {

class World;

struct PageDevice {
  std::string name;
  std::string kind;  // "phone", ...
  std::string id;    // as traces name it, to say who a peer is; may be empty
};

// All of it is borrowed or copied for the one call.
struct PageParts {
  const History& history;
  const Outcome& outcome;
  std::vector<PageDevice> devices;  // by DeviceIndex
  std::string title, story;         // of the scenario; may be empty
  std::string replay;               // the command that runs the same again; may be empty
  // When the set-up was done, and when all faults were over. The page counts time from the former.
  kj::Maybe<kj::TimePoint> beganAt = nullptr, healedAt = nullptr;
};

std::vector<PageDevice> pageDevices(World& world);

// Texts may hold any bytes; what is no UTF-8 is shown as U+FFFD.
kj::String explainPage(const PageParts& parts);

// The JSON object in the page, for tests: as it stands there, with no '<' in it.
kj::String explainData(const PageParts& parts);

}  // namespace hearth::sim

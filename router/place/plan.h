#pragma once
// Placing: which device does which stage of a workload, and why. A pure function.
//
// Cost of a placement, in seconds: when a nominal piece of work (4 s of speech, 80 characters) would
// be done, plus what its energy is worth. On mains a joule is worth 5 ms, so that of two devices of
// one speed the modest one is taken (a 28 W laptop before a 250 W box) and a box that is really
// faster wins all the same; on a battery a joule is worth four times that, twenty times when it is
// low.

#include "router/graph/workload.h"
#include "router/place/facts.h"

#include <expected>
#include <set>

namespace hearth::router {

struct PlanInput {
  const Workload& workload;
  const std::vector<DeviceFacts>& devices;  // that can be reached now
  const LinkTable& links;
  DeviceId sink;                    // where the sink sits
  DeviceId source;                  // whose sensors are used
  bool sourceIsRecording = false;   // then it needs no sensor
  std::map<size_t, DeviceId> keep;  // stages that stay where they are
  std::set<std::pair<size_t, DeviceId>> excluded;
};

struct PlannedStage {
  struct Candidate {
    DeviceId device;
    bool chosen = false;
    std::string reason;
  };

  DeviceId device;
  Digest plugin;  // zero unless a plugin's stage
  std::string pluginName;
  std::vector<Candidate> candidates;  // every device, the chosen one first
};

struct Plan {
  std::vector<PlannedStage> stages;  // as in the workload
  double costS = 0;
};

struct PlanRefusal {
  size_t stage;
  std::string because;  // one line naming the stage and what is missing
};

constexpr double NOMINAL_AUDIO_S = 4;
constexpr double NOMINAL_CHARACTERS = 80;
constexpr double JOULE_S_MAINS = 0.005;
constexpr double JOULE_S_BATTERY = 0.02;
constexpr double JOULE_S_BATTERY_LOW = 0.1;
constexpr double BATTERY_LOW = 0.2;

// Complete search with bounds; past this many steps the best found so far is taken.
constexpr size_t PLAN_STEPS_MAX = 200'000;

std::expected<Plan, PlanRefusal> plan(const PlanInput& input);

}  // namespace hearth::router

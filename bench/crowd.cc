#include "bench/crowd.h"

#include <kj/debug.h>

namespace hearth::bench {

namespace {

struct Furniture {
  const char* name;
  const char* profile;
};

// The first founds the circle, and what is dictated to it needs the second.
constexpr Furniture HOME[HOME_DEVICES] = {{"phone", "phone-flagship"}, {"gpubox", "gpubox"},
    {"laptop", "laptop"}, {"watch", "watch"}, {"hub", "hub"}, {"tablet", "phone-budget"},
    {"old-laptop", "laptop"}, {"kitchen-hub", "hub"}};

}  // namespace

sim::Scenario crowd(uint32_t devices, kj::Duration lasts) {
  KJ_REQUIRE(devices >= 2 && devices <= sim::Scenario::DEVICES_MAX, devices);
  constexpr auto TIME_TO_END = 5 * kj::MINUTES;
  sim::Scenario scenario{.name = "crowd", .title = "Many people, each at home", .lasts = lasts};
  for (uint32_t i = 0; i < devices; ++i) {
    auto& thing = HOME[i % HOME_DEVICES];
    auto home = "home" + std::to_string(i / HOME_DEVICES);
    auto name = home + "-" + thing.name;
    scenario.devices.push_back({.name = name,
        .profile = thing.profile,
        .at = {home},
        .admin = i % HOME_DEVICES == 0,
        .circle = home});
    scenario.networks[home] = "home-wifi";
    if (i % HOME_DEVICES != 1) continue;  // nobody yet to recognise speech, or done
    scenario.steps.push_back({.at = 1 * kj::MINUTES,
        .jitter = kj::max(lasts - TIME_TO_END, 1 * kj::MINUTES),
        .what = "dictate",
        .device = home + "-phone",
        .amount = 30,
        .second = 8});
  }
  scenario.expect.came = {"dictate"};
  scenario.expect.allDone = true;
  return scenario;
}

}  // namespace hearth::bench

#pragma once
// What a kind of device is like: a value, read from data/profiles.toml, where the sources of its
// numbers stand.

#include "simulator/engines/modelled-engine.h"

#include <kj/time.h>

#include <map>
#include <string>
#include <vector>

namespace hearth::sim {

struct Profile {
  std::string name;
  std::string deviceClass;  // watch, phone, laptop, gpubox, vault
  uint32_t cores = 4;
  uint64_t memoryBytes = uint64_t{4} << 30;

  // Power. No battery: on mains for ever.
  double batteryMwh = 0;
  double idleMw = 0;          // on, with nothing to do
  double asleepMw = 0;        // suspended
  double activeMw = 1'000;    // drawn more by one busy core
  double wakeMicrojoule = 0;  // of one wake-up from idle

  // Heat: so many CPU seconds fill it up, so many seconds of rest empty it; full, it is that slow.
  double heatCapacityS = 0;  // 0: it does not heat up
  double coolingPerS = 1;
  double throttled = 1;

  kj::Duration syncTakes = 0 * kj::SECONDS;  // one fsync
  int32_t driftPpm = 0;                      // of its clock, at most
  bool microphone = false;
  // How long the system lets an app in the background go on; 0: for ever.
  kj::Duration backgroundFor = 0 * kj::SECONDS;

  std::vector<std::string> radios;  // names of network kinds that it can use, best first
  std::map<std::string, TaskModel> tasks;

  bool hasBattery() const { return batteryMwh > 0; }
};

}  // namespace hearth::sim

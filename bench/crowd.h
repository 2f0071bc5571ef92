#pragma once
// Many people's devices in one world: homes of eight devices, each the circle of one person, and in
// each home somebody dictates once an hour, at a moment that luck chooses.

#include "simulator/story/scenario.h"

namespace hearth::bench {

constexpr uint32_t HOME_DEVICES = 8;

// As many homes as `devices` fill, the last one with fewer. Requires at least two devices.
sim::Scenario crowd(uint32_t devices, kj::Duration lasts);

}  // namespace hearth::bench

#pragma once
// What this machine says about itself: cores, memory, battery. Its plugins and their costs are added
// by the node, once they are measured.

#include "router/place/facts.h"

#include <kj/filesystem.h>

namespace hearth::devices {

// 0..1 of what this machine's batteries hold, while they are emptied; below 0 where there is none, or it is charging.
// Those of mice and the like are not its own. Throws where they cannot be read.
double batteryLevel(const kj::ReadableDirectory& system);

// `system` is the root of the file system (or a likeness of it): /proc/meminfo and
// /sys/class/power_supply are read from it. What cannot be read is left at its default.
router::DeviceFacts localFacts(const kj::ReadableDirectory& system, const DeviceId& id,
    const std::string& name, const std::string& deviceClass, uint32_t cores);

}  // namespace hearth::devices

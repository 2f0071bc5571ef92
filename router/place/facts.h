#pragma once
// What a device says about itself, and what is measured between devices: the planner's input, plain
// values (DESIGN §6).

#include "core/base/ids.h"

#include <map>
#include <string>
#include <vector>

namespace hearth::router {

// One task that one plugin of a device can do. Time for n units: fixedS + perUnitS * n. A unit is a
// second of audio for audio tasks, a character for text tasks.
struct PluginFacts {
  std::string task;
  std::string name;
  std::string version;
  Digest measurement;
  double fixedS = 0;
  double perUnitS = 0;
  double spread = 0;  // relative, of measured runs
  uint64_t memoryBytes = 0;
  bool warm = false;  // its models are loaded

  bool operator==(const PluginFacts&) const = default;
};

struct DeviceFacts {
  static constexpr size_t PLUGINS_MAX = 64;
  static constexpr size_t NAMES_MAX = 16;  // of sensors, of sinks, of addresses
  static constexpr size_t TEXT_BYTES_MAX = 255;

  DeviceId id;
  std::string name;
  std::string deviceClass;  // watch, phone, laptop, gpubox, vault
  uint32_t cores = 0;
  uint64_t memoryBytes = 0;
  double activeW = 0;   // drawn while it computes, watts
  double battery = -1;  // 0..1; below 0: on mains
  double txJPerByte = 0;
  double rxJPerByte = 0;
  double queueS = 0;  // work that it has already
  std::vector<PluginFacts> plugins;
  std::vector<std::string> sensors;  // "microphone"
  std::vector<std::string> addresses;
  uint64_t version = 0;  // grows with each change

  bool onMains() const { return battery < 0; }
  bool operator==(const DeviceFacts&) const = default;
};

struct LinkFacts {
  double latencyS = 0;
  double bandwidthBps = 0;  // bytes a second
};

// A link of which nothing has been measured yet: a busy home network.
constexpr LinkFacts LINK_UNMEASURED = {0.005, 12.5e6};

// By ordered pair of devices; a pair that is missing has LINK_UNMEASURED.
using LinkTable = std::map<std::pair<DeviceId, DeviceId>, LinkFacts>;

// What a device of a class draws while it computes, watts, and what its radio takes. Orders of
// magnitude from makers' data sheets; a platform that measures its own draw replaces them.
struct ClassPower {
  double activeW;
  double radioJPerByte;
};
ClassPower powerOfClass(const std::string& deviceClass);

}  // namespace hearth::router

#include "devices/facts/local-facts.h"

#include <kj/debug.h>

#include <sstream>

namespace hearth::devices {

namespace {

kj::Maybe<std::string> readText(const kj::ReadableDirectory& system, kj::PathPtr path) {
  KJ_IF_MAYBE(file, system.tryOpenFile(path)) {
    // Files of /proc and /sys say that they are empty: read until the end, not until the size.
    kj::byte buffer[4096];
    auto got = (*file)->read(0, buffer);
    return std::string(reinterpret_cast<const char*>(buffer), got);
  }
  return nullptr;
}

uint64_t memoryBytes(const kj::ReadableDirectory& system) {
  KJ_IF_MAYBE(text, readText(system, kj::Path{"proc", "meminfo"})) {
    std::istringstream words(*text);
    std::string label;
    uint64_t kibibytes = 0;
    if (words >> label >> kibibytes && label == "MemTotal:") return kibibytes * 1024;
  }
  return 0;
}

}  // namespace

double batteryLevel(const kj::ReadableDirectory& system) {
  kj::Path supplies{"sys", "class", "power_supply"};
  int percent = 0, batteries = 0;
  bool isEmptied = false;
  KJ_IF_MAYBE(directory, system.tryOpenSubdir(supplies)) {
    for (auto& name: (*directory)->listNames()) {
      auto read = [&](kj::StringPtr what) {
        return readText(**directory, kj::Path{kj::str(name), kj::str(what)}).orDefault("");
      };
      auto capacity = read("capacity");
      if (capacity.empty() || read("scope").starts_with("Device")) continue;
      isEmptied = isEmptied || read("status").starts_with("Discharging");
      percent += std::stoi(capacity);
      ++batteries;
    }
  }
  return isEmptied ? percent / (100.0 * batteries) : -1;
}

router::DeviceFacts localFacts(const kj::ReadableDirectory& system, const DeviceId& id,
    const std::string& name, const std::string& deviceClass, uint32_t cores) {
  router::DeviceFacts facts;
  facts.id = id;
  facts.name = name;
  facts.deviceClass = deviceClass;
  facts.cores = cores;
  auto power = router::powerOfClass(deviceClass);
  facts.activeW = power.activeW;
  facts.txJPerByte = facts.rxJPerByte = power.radioJPerByte;
  // A machine that hides its files still works: it is planned for without them.
  auto unread = kj::runCatchingExceptions([&]() {
    facts.memoryBytes = memoryBytes(system);
    facts.battery = batteryLevel(system);
  });
  KJ_IF_MAYBE(e, unread) KJ_LOG(INFO, "facts of this machine cannot be read", *e);
  return facts;
}

}  // namespace hearth::devices

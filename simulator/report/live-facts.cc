#include "simulator/report/live-facts.h"

#include <cstdlib>

namespace hearth::sim {

namespace {

const char* stateOf(const Device& device) {
  if (!device.isOn()) return "off";
  if (!device.isAwake()) return "asleep";
  return device.runs() ? "running" : "on";
}

}  // namespace

void LiveFacts::readNewEvents() {
  auto& all = world.history.all();
  for (; eventsRead < all.size(); ++eventsRead) {
    auto& event = all[eventsRead];
    if (event.kind == "fault") {
      lastFaults[event.device] =
          event.text + " " + clockText(event.at - WorldTime::BEGINNING).cStr();
    } else if (event.kind == "battery") {
      batteries[event.device] = strtod(event.text.c_str(), nullptr);
    }
  }
}

LiveDevice LiveFacts::deviceNow(Device& device) {
  LiveDevice now{.name = device.called(), .state = stateOf(device)};
  auto battery = batteries.find(device.index());
  if (battery != batteries.end()) now.battery = battery->second;
  KJ_IF_MAYBE(node, device.node()) {
    for (auto& other: node->devices()) now.linksUp += !other.self && other.reachable;
    now.jobs = static_cast<uint32_t>(node->work().running());
  }
  auto found = lastFaults.find(device.index());
  if (found != lastFaults.end()) now.lastFault = found->second;
  return now;
}

LiveStatus LiveFacts::status(double wallS) {
  readNewEvents();
  LiveStatus status{
      .title = title, .seed = world.seed(), .virtualTime = world.time.elapsed(), .wallS = wallS};
  for (DeviceIndex i = 0; i < world.deviceCount(); ++i)
    status.devices.push_back(deviceNow(world.device(i)));
  return status;
}

}  // namespace hearth::sim

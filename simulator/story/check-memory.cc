#include "simulator/story/check-memory.h"

namespace hearth::sim {

namespace {

// The first thing that the disk does not have. None when it has everything.
kj::Maybe<std::string> missingOn(
    const devices::StoredCircle& disk, const devices::CircleKeeper& memory, bool diskHasRefused) {
  std::set<std::string> ops;
  for (auto& op: disk.ops) ops.emplace(op.asChars().begin(), op.size());
  for (auto envelope: memory.log().envelopes()) {
    if (!ops.contains(std::string(envelope.asChars().begin(), envelope.size())))
      return "one op of " + std::to_string(memory.log().size()) + " is not on the disk";
  }
  // A call whose counter the disk refused was not answered: memory alone may know of it.
  if (diskHasRefused) return nullptr;
  for (auto& [caller, counter]: memory.accepted()) {
    auto found = disk.acceptedCounters.find(caller);
    if (found == disk.acceptedCounters.end() || found->second < counter)
      return std::string("the newest counter of a caller is not on the disk");
  }
  return nullptr;
}

}  // namespace

std::vector<Violation> keptOnDisk(Run& run) {
  std::vector<Violation> found;
  for (DeviceIndex i = 0; i < run.world.deviceCount(); ++i) {
    auto& device = run.world.device(i);
    KJ_IF_MAYBE(node, device.node()) {
      auto& process = device.process();
      if (!process.database().isIdle()) continue;  // something is being written just now
      kj::Maybe<std::string> wrong;
      auto disk = process.afterPowerLoss();
      if (disk) {
        wrong = missingOn(*disk, node->circle(), device.disk.refused > 0);
      } else {
        wrong = "it would not start: " + disk.error();
      }
      KJ_IF_MAYBE(what, wrong) {
        found.push_back({run.world.time.now(), i, "durability",
            device.called() + " could lose power now: " + *what});
      }
    }
  }
  return found;
}

std::vector<Violation> countersAreFresh(Run& run) {
  std::vector<Violation> found;
  if (run.effects.contains("restore")) return found;  // it calls with old numbers, and is refused
  std::map<std::pair<DeviceId, uint64_t>, DeviceIndex> seen;
  for (DeviceIndex i = 0; i < run.world.deviceCount(); ++i) {
    for (auto& [caller, counters]: run.world.device(i).acceptedFrom) {
      for (auto counter: counters) {
        auto [first, isNew] = seen.try_emplace({caller, counter}, i);
        if (isNew) continue;
        found.push_back({run.world.time.now(), i, "counters",
            "counter " + std::to_string(counter) + " of one caller was accepted by " +
                run.world.device(i).called() + " and by " +
                run.world.device(first->second).called()});
      }
    }
  }
  return found;
}

}  // namespace hearth::sim

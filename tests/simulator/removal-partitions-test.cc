// A device is removed while the network falls apart at random (SECURITY.md §13, G7): whoever learns of
// it drops the device within two seconds and takes no call of it any more, and the removed one never
// gets a byte of what comes after. Whole daemons in a simulated world; a few partitions in every run,
// as many as scripts/attack asks for with HEARTH_SEEDS.

#include "simulator/story/run.h"
#include "tests/crypto/seeds.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iostream>
#include <sstream>

namespace hearth::sim {
namespace {

constexpr auto DROPS_WITHIN = 2 * kj::SECONDS;
constexpr auto LOOKS_EVERY = 100 * kj::MILLISECONDS;
constexpr const char* NAMES[] = {"phone", "laptop", "gpubox", "watch", "tablet"};

std::string shipped(const char* name) {
  std::ifstream file(std::string(HEARTH_SOURCE_DIR "/simulator/data/") + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Five devices of which the first two are ADMINs, one removal, and partitions around it.
std::string storyOf(Luck& luck) {
  std::stringstream out;
  out << "title = \"A removal in a network that falls apart\"\nlasts = \"60s\"\nheals = \"60s\"\n"
      << "[[network]]\nname = \"home\"\nkind = \"home-wifi\"\n";
  constexpr const char* PROFILES[] = {"phone-flagship", "laptop", "gpubox", "watch", "laptop"};
  for (size_t i = 0; i < std::size(NAMES); ++i)
    out << "[[device]]\nname = \"" << NAMES[i] << "\"\nprofile = \"" << PROFILES[i]
        << "\"\nat = \"home\"\nadmin = " << (i < 2 ? "true" : "false") << "\n";
  auto step = [&](size_t atMs, const char* what) -> std::ostream& {
    return out << "[[step]]\nat = \"" << atMs << "ms\"\ndo = \"" << what << "\"\n";
  };
  auto removed = luck.below(std::size(NAMES));
  auto remover = removed == 0 ? 1 : removed == 1 ? 0 : luck.below(2);
  step(15'000 + luck.below(20'000), "remove")
      << "device = \"" << NAMES[removed] << "\"\nother = \"" << NAMES[remover] << "\"\n";
  for (auto faults = 1 + luck.below(3); faults > 0; --faults) {
    constexpr const char* FAULTS[] = {"split", "split", "deafen", "mute", "cut"};
    auto* fault = FAULTS[luck.below(std::size(FAULTS))];
    auto device = luck.below(std::size(NAMES));
    auto& said = step(5'000 + luck.below(35'000), fault);
    said << "for = \"" << 5'000 + luck.below(20'000) << "ms\"\n";
    if (std::string(fault) != "split") said << "device = \"" << NAMES[device] << "\"\n";
    if (std::string(fault) == "cut")
      said << "other = \"" << NAMES[(device + 1) % std::size(NAMES)] << "\"\n";
  }
  for (auto times = 1 + luck.below(2); times > 0; --times)
    step(5'000 + luck.below(40'000), "dictate")
        << "device = \"" << NAMES[luck.below(std::size(NAMES))] << "\"\namount = 12\n";
  out << "[expect]\ncame = [\"remove\"]\n";
  return out.str();
}

// Looks at every device again and again.
class Watch {
 public:
  size_t knewLate = 0;    // who learned of the removal at least a second after the remover
  size_t dropped = 0;     // links that were up when it was learned of
  size_t knocked = 0;     // removed devices that were told by somebody that they are out
  size_t ops = 0;         // behind the removal, that the removed device lacks
  std::string violation;  // the first one

  explicit Watch(Run& run): run(run) {}

  void look() {
    for (DeviceIndex i = 0; i < run.world.deviceCount(); ++i) {
      auto& device = run.world.device(i);
      KJ_IF_MAYBE(node, device.node()) {
        for (auto& [id, member]: node->circle().state().devices) {
          if (member.status == crypto::MemberStatus::REMOVED) learned(i, *node, id);
        }
      }
    }
    KJ_IF_MAYBE(removed, target) lookAt(*removed);
  }

 private:
  Run& run;
  kj::Maybe<DeviceId> target;
  kj::TimePoint firstKnown = WorldTime::BEGINNING;
  std::map<DeviceIndex, kj::TimePoint> knows;

  void complain(const std::string& what) {
    if (violation.empty()) violation = what;
  }

  bool isLinked(devices::Node& node, const DeviceId& id) {
    for (auto& view: node.devices()) {
      if (view.id == id) return view.reachable;
    }
    return false;
  }

  void learned(DeviceIndex who, devices::Node& node, const DeviceId& removed) {
    auto now = run.world.time.now();
    if (node.circle().selfId() == removed) {
      if (knows.emplace(who, now).second) ++knocked;
      return;
    }
    if (target == nullptr) target = removed, firstKnown = now;
    bool linked = isLinked(node, removed);
    if (knows.emplace(who, now).second) {
      if (now > firstKnown + 1 * kj::SECONDS) ++knewLate;
      if (linked) ++dropped;
    }
    auto name = run.world.device(who).called();
    if (linked && now > knows.at(who) + DROPS_WITHIN)
      complain(name + " keeps a link two seconds after it has learned of the removal");
  }

  // Whatever the removed device holds: no op behind its removal, so no seal of a new epoch.
  void lookAt(const DeviceId& removed) {
    KJ_IF_MAYBE(device, run.world.find(removed)) {
      KJ_IF_MAYBE(node, device->node()) {
        auto& table = node->circle().log().ops();
        for (auto& record: table) {
          for (auto before: record.past) {
            auto* removal = table[before].as<crypto::RemovePayload>();
            if (removal != nullptr && removal->target == removed)
              complain("the removed device holds an op that was made after its removal");
          }
        }
      }
    }
    for (DeviceIndex i = 0; i < run.world.deviceCount(); ++i) {
      KJ_IF_MAYBE(node, run.world.device(i).node()) lookForSeals(*node, removed);
    }
  }

  // Of all members: epochs that rest on the removal name everybody but the removed.
  void lookForSeals(devices::Node& node, const DeviceId& removed) {
    if (node.circle().selfId() == removed) return;
    auto& table = node.circle().log().ops();
    size_t behind = 0;
    for (auto& record: table) {
      bool after = false;
      for (auto before: record.past) {
        auto* removal = table[before].as<crypto::RemovePayload>();
        after = after || (removal != nullptr && removal->target == removed);
      }
      if (!after) continue;
      ++behind;
      auto* epoch = record.as<crypto::EpochPayload>();
      if (epoch == nullptr) continue;
      for (auto& seal: epoch->seals) {
        if (seal.recipient == removed)
          complain("an epoch behind the removal is sealed to the removed device");
      }
    }
    ops = std::max(ops, behind);
  }
};

TEST_CASE(
    "T20: a device that is removed in a network that falls apart is dropped, and gets nothing new") {
  Seeds seeds(15);
  auto catalogue = *Catalogue::parse(shipped("profiles.toml"), shipped("networks.toml"));
  size_t late = 0, dropped = 0, knocked = 0, epochs = 0;
  uint64_t faults = 0;
  for (auto seed = seeds.first; seed <= seeds.last; ++seed) {
    Luck luck(seed);
    auto scenario = parseScenario("removal-partitions", storyOf(luck));
    KJ_ASSERT(scenario.has_value(), scenario.error().c_str());
    CAPTURE(seed);
    Run run(*scenario, catalogue, seed);
    Watch watch(run);
    Run::Watcher look = [&](Run&) { watch.look(); };
    run.begin(look);
    auto ends = run.beganAt() + scenario->lasts;
    while (run.world.time.now() < ends) {
      run.world.runUntil(run.world.time.now() + LOOKS_EVERY);
      watch.look();
    }
    run.end(look);
    watch.look();
    auto outcome = run.judge(nullptr);
    REQUIRE(watch.violation == "");
    for (auto& violation: outcome.violations) FAIL(violation.checker << ": " << violation.text);
    for (auto fault: {"split", "deafen", "mute", "cut"}) {
      if (run.effects.contains(fault)) faults += run.effects.at(fault);
    }
    REQUIRE(watch.ops > 0);
    late += watch.knewLate;
    dropped += watch.dropped;
    knocked += watch.knocked;
    epochs += watch.ops;
  }
  std::cerr << seeds.count() << " removals, " << faults << " partitions, " << late
            << " devices learned late, " << dropped << " links were up when it was learned, "
            << knocked << " removed devices were told at a door, " << epochs
            << " ops behind removals\n";
  REQUIRE(faults >= seeds.count());
  REQUIRE(late >= seeds.count() / 5);
  REQUIRE(knocked >= seeds.count() / 2);
}

}  // namespace
}  // namespace hearth::sim

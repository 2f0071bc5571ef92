#pragma once
// One run of one scenario with one seed: builds the world, lets the story happen, heals everything,
// and asks the checkers whether all that must hold does.
//
//   set-up ──▶ story (steps and storms) ──▶ healing: all faults end ──▶ checks

#include "simulator/story/bounds.h"
#include "simulator/story/catalogue.h"
#include "simulator/story/copiers.h"
#include "simulator/story/owners.h"
#include "simulator/story/people.h"
#include "simulator/story/scenario.h"
#include "simulator/story/writers.h"

namespace hearth::sim {

struct Happening;

class Run final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr kj::Duration SET_UP_WITHIN = 30 * kj::MINUTES;

  // Both outlive the run. Throws one line when the scenario names what the catalogue has not.
  Run(const Scenario& scenario, const Catalogue& catalogue, uint64_t seed);
  ~Run() noexcept(false);

  // Called now and then while time passes; for people who watch.
  using Watcher = kj::Function<void(Run&)>;
  Outcome go(kj::Maybe<Watcher&> watcher = nullptr);

  // The same in parts, for whoever lets the time of the story pass (simulator/app). The first two
  // throw what goes wrong in the world itself; `died` is what a part has thrown.
  void begin(kj::Maybe<Watcher&> watcher = nullptr);
  void end(kj::Maybe<Watcher&> watcher = nullptr);
  Outcome judge(kj::Maybe<kj::Exception> died);

  // A step more, taken as soon as time passes; it ends with the story. Its times do not count. An error
  // is one line.
  std::expected<void, std::string> take(const Step& step);

  const Scenario& scenario;
  World world;
  People people{world};
  Writers writers{world};
  Owners owners{world};
  Copiers copiers{world};

  kj::TimePoint beganAt() const { return began; }  // of the story, when the set-up was done
  kj::TimePoint healedAt() const { return healed; }
  bool isDestroyed(const Device& device) const { return destroyed.contains(device.index()); }
  const std::string& circleOf(const Device& device) const { return castOf(device).circle; }

  // What storms have done so far, as the steps that would do the same.
  std::vector<Step> blown;

  // What each device had used up when the story began.
  std::vector<uint64_t> wakesBefore;
  std::vector<double> radioMwhBefore;

  // What daemons were found to hold while time passed.
  Bounds bounds;

  // What really came of faults and steps, by name.
  std::map<std::string, uint64_t> effects;

 private:
  friend class Verbs;
  const Catalogue& catalogue;
  Chance chance;
  std::map<std::string, NetworkIndex> networks;
  NetworkIndex workshop;  // where devices are set up
  std::set<DeviceIndex> destroyed;
  uint64_t taken = 0;  // steps more than the scenario has
  kj::TimePoint began = WorldTime::BEGINNING, healed = WorldTime::BEGINNING;
  kj::Maybe<std::string> broken;  // what the set-up failed with
  bool storming = true;
  kj::TaskSet tasks;

  void build();
  kj::Promise<void> setUp();
  Happening happeningOf(const Step& step);
  crypto::Role roleOf(DeviceIndex device);
  kj::Promise<void> standUp(std::vector<DeviceIndex> circle);
  kj::Promise<void> follow(Step step, Chance luck);
  kj::Promise<void> blow(const Storm& storm, Chance luck);
  void heal();
  void pass(kj::Duration span, kj::Maybe<Watcher&>& watcher);
  kj::Promise<void> foldDisk(Device& device);
  void countEffects();
  std::vector<NetworkIndex> placesOf(const std::vector<std::string>& names) const;
  const Cast& castOf(const Device& device) const { return scenario.devices[device.index()]; }
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::sim

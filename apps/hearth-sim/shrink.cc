#include "apps/hearth-sim/shrink.h"

#include "apps/hearth-sim/swarm.h"

#include <algorithm>

namespace hearth::cli {

namespace {

using sim::Scenario;

// "exactly-once: dictation 3 …" is a complaint of "exactly-once".
std::string checkerOf(const SwarmResult& result) {
  if (result.violations.empty()) return "";
  auto& first = result.violations.front();
  return first.substr(0, first.find(':'));
}

class Shrinker {
 public:
  static constexpr size_t RUNS_MAX = 600;

  Shrinker(const sim::Catalogue& catalogue, uint64_t seed,
      const std::function<void(const std::string&)>& told)
      : catalogue(catalogue),
        seed(seed),
        told(told) {}

  std::string complaint(const Scenario& scenario) {
    ++runs;
    auto results = swarm({{&scenario, seed}}, catalogue, 1, [](auto&) { return true; });
    return results.empty() ? "" : checkerOf(results.front());
  }

  // The smaller scenario becomes the one to go on with when it still fails.
  bool accept(Scenario smaller) {
    if (runs >= RUNS_MAX || complaint(smaller) != checker) return false;
    best = std::move(smaller);
    told(std::to_string(runs) + " runs: " + std::to_string(best.steps.size()) + " steps, " +
        std::to_string(best.devices.size()) + " devices, " + sim::writeSpan(best.lasts));
    return true;
  }

  Shrunk run(const Scenario& scenario) {
    best = scenario;
    best.expect.came.clear();  // what did not come is no failure any more
    best.expect.comes.clear();
    checker = complaint(best);
    if (checker.empty()) return {scenario, "", runs};
    expandStorms();
    for (bool smaller = true; smaller && runs < RUNS_MAX;) {
      smaller = dropSteps();
      smaller |= dropStorms();
      smaller |= dropDevices();
      smaller |= simplifySteps();
      smaller |= shorten();
    }
    return {best, checker, runs};
  }

 private:
  const sim::Catalogue& catalogue;
  uint64_t seed;
  const std::function<void(const std::string&)>& told;
  size_t runs = 0;
  Scenario best;
  std::string checker;

  // In this process: a world that dies is not expanded, for it says nothing of what it did. The run is
  // over before the next one begins: a thread has one event loop at a time.
  void expandStorms() {
    if (best.storms.empty() || checker.starts_with("the process")) return;
    auto expanded = best;
    {
      sim::Run run(best, catalogue, seed);
      run.go();
      expanded.steps.insert(expanded.steps.end(), run.blown.begin(), run.blown.end());
    }
    expanded.storms.clear();
    accept(std::move(expanded));
  }

  bool dropSteps() {
    bool smaller = false;
    for (size_t chunk = std::max<size_t>(1, best.steps.size() / 2); chunk > 0; chunk /= 2) {
      for (size_t at = 0; at < best.steps.size();) {
        auto without = best;
        auto begin = without.steps.begin() + static_cast<ptrdiff_t>(at);
        auto count = std::min(chunk, without.steps.size() - at);
        without.steps.erase(begin, begin + static_cast<ptrdiff_t>(count));
        if (accept(std::move(without))) {
          smaller = true;
        } else {
          at += chunk;
        }
      }
    }
    return smaller;
  }

  bool dropStorms() {
    bool smaller = false;
    for (size_t at = 0; at < best.storms.size();) {
      auto without = best;
      without.storms.erase(without.storms.begin() + static_cast<ptrdiff_t>(at));
      accept(std::move(without)) ? smaller = true : (++at, false);
    }
    return smaller;
  }

  bool isNamed(const std::string& device) const {
    return std::ranges::any_of(best.steps,
               [&](auto& step) { return step.device == device || step.other == device; }) ||
        std::ranges::any_of(best.storms,
            [&](auto& storm) { return std::ranges::count(storm.devices, device) > 0; });
  }

  bool dropDevices() {
    bool smaller = false;
    for (size_t at = 0; at < best.devices.size();) {
      auto without = best;
      without.devices.erase(without.devices.begin() + static_cast<ptrdiff_t>(at));
      bool founder = std::ranges::any_of(
          without.devices, [](auto& cast) { return cast.admin && !cast.later; });
      if (founder && !isNamed(best.devices[at].name) && accept(std::move(without))) {
        smaller = true;
      } else {
        ++at;
      }
    }
    return smaller;
  }

  bool simplifySteps() {
    bool smaller = false;
    for (size_t i = 0; i < best.steps.size(); ++i) {
      auto attempt = [&](auto&& change) {
        auto simpler = best;
        if (change(simpler.steps[i])) smaller |= accept(std::move(simpler));
      };
      attempt([](sim::Step& step) {
        bool many = step.times > 1;
        step.times = 1;
        step.every = 0 * kj::SECONDS;
        return many;
      });
      attempt([](sim::Step& step) {
        bool long_ = step.what == "dictate" && step.amount > 4;
        step.amount = static_cast<double>(static_cast<int>(step.amount / 2));
        return long_;
      });
    }
    return smaller;
  }

  bool shorten() {
    auto shorter = best;
    shorter.lasts = best.lasts / 2;
    return best.lasts > 5 * kj::SECONDS && accept(std::move(shorter));
  }
};

}  // namespace

Shrunk shrink(const Scenario& scenario, const sim::Catalogue& catalogue, uint64_t seed,
    const std::function<void(const std::string&)>& told) {
  return Shrinker(catalogue, seed, told).run(scenario);
}

}  // namespace hearth::cli

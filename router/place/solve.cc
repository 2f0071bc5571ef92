#include "router/place/solve.h"

#include "router/place/branch-bound.h"
#include "router/place/feasible.h"
#include "router/place/list-schedule.h"
#include "router/place/local-search.h"

#include <utility>

namespace hearth::router {

namespace {

constexpr double SAME = 1 + 1e-9;  // costs this close are equal but for rounding

class Solver final {
 public:
  explicit Solver(const Problem& problem)
      : problem(problem),
        around(problem),
        dense(problem, topologicalOrder(problem, around)) {}

  std::optional<Schedule> run() {
    for (auto* rank: {&dense.rankMean, &dense.rankLeast, &dense.rankTail}) {
      for (auto look: {Look::DONE, Look::AHEAD}) offer(listSchedule(dense, *rank, look));
    }
    for (uint32_t d = 0; d < dense.devices; ++d)
      offer(Schedule{std::vector<uint32_t>(dense.tasks, d), dense.topological});
    if (!best) offer(anyPlacement(dense));
    if (!best) return std::nullopt;
    search();
    settleTies();
    return std::move(best);
  }

 private:
  const Problem& problem;
  Neighbours around;
  Dense dense;
  std::optional<Schedule> best;
  double bestCost = Problem::NEVER;

  void offer(std::optional<Schedule> schedule) {
    if (!schedule) return;
    auto cost = makespan(problem, around, *schedule) + worth(problem, *schedule);
    if (cost >= bestCost) return;
    if (dense.limitedMemory && !fitsMemory(problem, schedule->device)) return;
    best = std::move(schedule);
    bestCost = cost;
  }

  void search() {
    constexpr uint32_t KICKS_SMALL = 10, KICKS = 200;
    bool small = dense.tasks <= SMALL_TASKS_MAX;
    bool branches = dense.tasks <= BRANCH_TASKS_MAX && dense.devices <= BRANCH_DEVICES_MAX;
    Budget visits{branches ? VISITS_MAX_SMALL : VISITS_MAX};
    offer(improve(dense, *best, visits, branches ? KICKS_SMALL : KICKS));
    if (!branches) return;
    Budget choices{small ? CHOICES_MAX_SMALL : CHOICES_MAX};
    offer(branch(dense, bestCost, choices));
  }

  // Among schedules of one cost the one that contention delays least, then the one that takes the
  // least energy: single moves only.
  void settleTies() {
    std::pair least = {makespanContended(problem, around, *best), energyOf(*best)};
    Rooms rooms(dense);
    for (uint32_t t = 0; t < dense.tasks; ++t) rooms.add(t, best->device[t]);
    Budget visits{VISITS_MAX_SMALL};
    for (uint32_t t = 0; t < dense.tasks; ++t) {
      for (uint32_t d = 0; d < dense.devices; ++d) {
        auto home = best->device[t];
        if (d == home || dense.exec(t, d) == Problem::NEVER || !rooms.fits(t, d)) continue;
        if (!visits.spend(2 * (dense.tasks + problem.edges.size()))) return;
        best->device[t] = d;
        std::pair tried = {Problem::NEVER, Problem::NEVER};
        if (makespan(problem, around, *best) + worth(problem, *best) <= bestCost * SAME)
          tried = {makespanContended(problem, around, *best), energyOf(*best)};
        if (tried < least) {
          least = tried;
          rooms.remove(t, home);
          rooms.add(t, d);
        } else {
          best->device[t] = home;
        }
      }
    }
  }

  double energyOf(const Schedule& schedule) const { return energy(problem, schedule, bestCost); }
};

}  // namespace

std::optional<Schedule> solve(const Problem& problem) { return Solver(problem).run(); }

}  // namespace hearth::router

#include "router/place/branch-bound.h"
#include "router/place/feasible.h"
#include "router/place/instance.h"
#include "router/place/solve.h"

#include <kj/debug.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace hearth::router {
namespace {

uint64_t nextRandom(uint64_t& state) {
  state = state * 6364136223846793005 + 1442695040888963407;
  return state >> 33;
}

// A small random graph over few devices; some tasks may not run everywhere.
Problem randomProblem(uint64_t seed, size_t tasks, size_t devices, bool limited = false) {
  Problem problem;
  problem.devices.resize(devices);
  for (size_t i = 0; i < devices * devices; ++i) {
    bool same = i / devices == i % devices;
    problem.latency.push_back(same ? 0 : 0.01);
    problem.perByte.push_back(same ? 0 : 1e-6);
  }
  for (size_t t = 0; t < tasks; ++t) {
    problem.tasks.push_back({limited ? 1.0 : 0.0, static_cast<uint32_t>(t)});
    for (size_t d = 0; d < devices; ++d) {
      bool never = d > 0 && nextRandom(seed) % 5 == 0;
      problem.exec.push_back(
          never ? Problem::NEVER : 0.1 + static_cast<double>(nextRandom(seed) % 100) / 100);
    }
    for (uint32_t from = 0; from < t; ++from) {
      if (nextRandom(seed) % 3 == 0)
        problem.edges.push_back(
            {from, static_cast<uint32_t>(t), static_cast<double>(nextRandom(seed) % 500'000)});
    }
  }
  if (limited) {
    for (auto& device: problem.devices)
      device.memoryBytes = static_cast<double>((tasks + devices - 1) / devices);
  }
  return problem;
}

// Every order of every assignment; only for very small problems.
double bruteForce(const Problem& problem) {
  Neighbours around(problem);
  Schedule schedule{std::vector<uint32_t>(problem.tasks.size()), topologicalOrder(problem, around)};
  double best = Problem::NEVER;
  std::ranges::sort(schedule.order);
  do {
    auto at = [&](uint32_t t) { return std::ranges::find(schedule.order, t); };
    bool valid = std::ranges::all_of(problem.edges, [&](auto& e) { return at(e.from) < at(e.to); });
    if (!valid) continue;
    auto& device = schedule.device;
    std::ranges::fill(device, 0);
    for (bool more = true; more;) {
      if (fitsMemory(problem, device)) best = std::min(best, makespan(problem, around, schedule));
      more = false;
      for (auto& d: device) {
        if (++d < problem.devices.size()) {
          more = true;
          break;
        }
        d = 0;
      }
    }
  } while (std::ranges::next_permutation(schedule.order).found);
  return best;
}

TEST_CASE("small graphs are placed to the optimum that trying everything finds") {
  auto seed = GENERATE(range(1, 25));
  auto problem = randomProblem(static_cast<uint64_t>(seed), 5, 2, seed % 3 == 0);
  auto schedule = solve(problem);
  auto optimum = bruteForce(problem);
  REQUIRE(schedule.has_value() == (optimum < Problem::NEVER));
  if (schedule) REQUIRE(makespan(problem, Neighbours(problem), *schedule) <= optimum * (1 + 1e-9));
}

TEST_CASE("three devices and six tasks are placed to the optimum as well") {
  auto seed = GENERATE(range(100, 106));
  auto problem = randomProblem(static_cast<uint64_t>(seed), 6, 3, seed % 2 == 0);
  auto placed = makespan(problem, Neighbours(problem), solve(problem).value());
  REQUIRE(placed <= bruteForce(problem) * (1 + 1e-9));
}

TEST_CASE("complete search alone finds the optimum, and finds nothing below it") {
  auto seed = GENERATE(range(200, 212));
  auto problem = randomProblem(static_cast<uint64_t>(seed), 5, 2);
  Neighbours around(problem);
  Dense dense(problem, topologicalOrder(problem, around));
  auto optimum = bruteForce(problem);
  Budget ample{1'000'000};
  auto found = branch(dense, Problem::NEVER, ample);
  REQUIRE(makespan(problem, around, found.value()) <= optimum * (1 + 1e-9));
  REQUIRE_FALSE(branch(dense, optimum, ample).has_value());
  REQUIRE(ample.left > 0);
}

TEST_CASE("complete search stops when its budget is spent") {
  auto problem = randomProblem(5, 12, 3);
  Dense dense(problem, topologicalOrder(problem, Neighbours(problem)));
  Budget none{3};  // fewer choices than the graph has tasks
  REQUIRE_FALSE(branch(dense, Problem::NEVER, none).has_value());
  REQUIRE(none.left == 0);
}

TEST_CASE("what a placement is worth besides its time counts like time") {
  auto problem = randomProblem(9, 4, 2);
  problem.edges.clear();
  problem.exec.assign(8, 1);
  problem.worth = {0, 9, 0, 9, 0, 9, 0, 9};
  problem.worthPerByte.assign(4, 0);
  REQUIRE(solve(problem)->device == std::vector<uint32_t>{0, 0, 0, 0});
}

TEST_CASE("a device that is busy with other work is left alone while that is longer") {
  auto problem = randomProblem(9, 2, 2);
  problem.edges.clear();
  problem.exec.assign(4, 1);
  problem.devices[0].queueS = 5;
  REQUIRE(solve(problem)->device == std::vector<uint32_t>{1, 1});
}

TEST_CASE("a placement is never worse than the best single device") {
  auto seed = GENERATE(range(1, 20));
  auto problem = randomProblem(static_cast<uint64_t>(seed), 60, 4);
  Neighbours around(problem);
  auto placed = makespan(problem, around, solve(problem).value());
  for (uint32_t d = 0; d < 4; ++d) {
    Schedule single{std::vector<uint32_t>(60, d), topologicalOrder(problem, around)};
    REQUIRE(placed <= makespan(problem, around, single));
  }
}

TEST_CASE("the same problem has the same answer every time") {
  auto problem = randomProblem(7, 40, 4);
  REQUIRE(solve(problem)->device == solve(problem)->device);
  REQUIRE(solve(problem)->order == solve(problem)->order);
}

TEST_CASE("memory that only one arrangement fits is filled by that arrangement") {
  auto problem = randomProblem(3, 8, 4, true);
  auto schedule = solve(problem);
  REQUIRE(schedule.has_value());
  REQUIRE(fitsMemory(problem, schedule->device));
}

// Sizes of tasks of which no two share a model; every device does all at the same speed.
Problem packing(std::vector<double> sizes, size_t devices, double room) {
  Problem problem;
  problem.devices.resize(devices);
  for (auto& device: problem.devices) device.memoryBytes = room;
  problem.latency.assign(devices * devices, 0);
  problem.perByte.assign(devices * devices, 0);
  for (auto size: sizes)
    problem.tasks.push_back({size, static_cast<uint32_t>(problem.tasks.size())});
  problem.exec.assign(sizes.size() * devices, 1);
  return problem;
}

TEST_CASE("memory that greedy choices would waste is packed by complete search") {
  auto problem = packing({3, 3, 2, 2, 2}, 2, 6);
  auto schedule = solve(problem);
  REQUIRE(schedule.has_value());
  REQUIRE(fitsMemory(problem, schedule->device));
  REQUIRE_FALSE(solve(packing({3, 3, 3}, 2, 5)).has_value());
}

TEST_CASE("a model that several tasks share takes its memory once") {
  auto problem = packing({4, 4, 4}, 1, 5);
  REQUIRE_FALSE(solve(problem).has_value());
  for (auto& task: problem.tasks) task.model = 0;
  REQUIRE(solve(problem).has_value());
}

TEST_CASE("the search for any placement that fits gives up at its limit") {
  auto problem = packing({3, 3, 2, 2, 2}, 2, 6);
  Dense dense(problem, topologicalOrder(problem, Neighbours(problem)));
  REQUIRE(anyPlacement(dense).has_value());
  REQUIRE_FALSE(anyPlacement(dense, 2).has_value());
}

TEST_CASE("a task that may run nowhere has no placement") {
  auto problem = randomProblem(1, 4, 2);
  problem.exec[0] = problem.exec[1] = Problem::NEVER;
  REQUIRE_FALSE(solve(problem).has_value());
}

constexpr const char* TINY = R"({"devices":[{"active_w":1},{"active_w":2}],
  "links":{"bandwidth_Bps":[[1,1000],[1000,1]],"latency_s":[[0,0.1],[0.1,0]]},
  "tasks":[{"exec_s":[1,null]},{"exec_s":[5,1]}],"edges":[{"from":0,"to":1,"bytes":100}]})";

TEST_CASE("an instance is answered with devices, an order and the time it took") {
  auto answer =
      nlohmann::json::parse(placeInstance(TINY, kj::systemPreciseMonotonicClock()).value());
  REQUIRE(answer["device"] == std::vector<int>{0, 1});
  REQUIRE(answer["order"] == std::vector<int>{0, 1});
  REQUIRE(answer["decision_us"].is_number_unsigned());
}

TEST_CASE("what is no instance is refused by field") {
  auto changed = [](const char* from, const char* to) {
    std::string text = TINY;
    text.replace(text.find(from), strlen(from), to);
    auto parsed = parseInstance(text);
    return parsed ? std::string("taken") : std::string(parsed.error().because.cStr());
  };
  REQUIRE(changed("{", "") == "the instance is no JSON object");
  REQUIRE(changed("[1,null]", "[1]") == "tasks: exec_s needs a value for each device");
  REQUIRE(changed("[1,null]", "[1,-1]") == "tasks: exec_s is no time");
  REQUIRE(changed("[1,null]", "[1e200,null]") == "tasks: exec_s is no time");
  REQUIRE(changed("[1,1000]", "1") == "links: a column for each device is needed");
  REQUIRE(changed("[1,1000]", "{\"a\":1,\"b\":2}") == "links: a column for each device is needed");
  REQUIRE(changed("\"to\":1", "\"to\":4294967297") == "edges: from and to are indexes of tasks");
  REQUIRE(changed("1000", "0") == "links: a bandwidth is none");
  REQUIRE(changed("\"from\":0", "\"from\":9") == "edges: from and to are indexes of tasks");
  REQUIRE(changed("\"from\":0", "\"from\":1") == "edges: they go round in a circle");
  REQUIRE(changed("\"devices\"", "\"d\"") == "devices: 1 to 64 are needed");
}

TEST_CASE("an instance that nothing fits is refused by another code than one that is malformed") {
  std::string text = TINY;
  text.replace(text.find("[1,null]"), 8, "[null,null]");
  auto answer = placeInstance(text, kj::systemPreciseMonotonicClock());
  REQUIRE(answer.error().code == Errc::QUOTA_EXCEEDED);
}

const std::filesystem::path PUBLISHED = HEARTH_SOURCE_DIR "/../shared/data/placement";

std::string readPublished(const std::string& name) {
  std::stringstream text;
  text << std::ifstream(PUBLISHED / name).rdbuf();
  return text.str();
}

TEST_CASE(
    "the published instances are placed within 1.01 of the proved optimum, nine in ten at it") {
  if (!std::filesystem::exists(PUBLISHED)) SKIP("no ../shared/data/placement beside this clone");
  double sum = 0, count = 0, optimal = 0;
  for (auto& [id, proved]: nlohmann::json::parse(readPublished("optimum.json")).items()) {
    auto problem = parseInstance(readPublished(id + ".json")).value();
    auto seconds = makespan(problem, Neighbours(problem), solve(problem).value());
    auto ratio = seconds / proved["makespan_s"].get<double>();
    CAPTURE(id, ratio);
    REQUIRE(ratio >= 1 - 1e-6);  // else the replay is another than the one of the proof
    sum += ratio;
    ++count;
    optimal += ratio <= 1 + 1e-9;
  }
  REQUIRE(count >= 40);
  REQUIRE(sum / count <= 1.01);
  REQUIRE(optimal / count >= 0.9);
}

// What any answer must be, whatever its makespan.
void requireValid(const Problem& problem, const Schedule& schedule) {
  std::vector<size_t> place(problem.tasks.size(), SIZE_MAX);
  for (size_t i = 0; i < schedule.order.size(); ++i) place[schedule.order[i]] = i;
  REQUIRE(schedule.order.size() == problem.tasks.size());
  REQUIRE(std::ranges::find(place, SIZE_MAX) == place.end());
  for (auto& edge: problem.edges) REQUIRE(place[edge.from] < place[edge.to]);
  REQUIRE(fitsMemory(problem, schedule.device));
}

TEST_CASE("every published instance has a valid placement, no worse than the best single device") {
  if (!std::filesystem::exists(PUBLISHED)) SKIP("no ../shared/data/placement beside this clone");
  size_t count = 0;
  for (auto& entry: std::filesystem::directory_iterator(PUBLISHED)) {
    auto name = entry.path().filename().string();
    if (!name.ends_with(".json") || name == "optimum.json") continue;
    CAPTURE(name);
    auto problem = parseInstance(readPublished(name)).value();
    Neighbours around(problem);
    auto schedule = solve(problem).value();
    requireValid(problem, schedule);
    auto seconds = makespan(problem, around, schedule);
    REQUIRE(seconds < Problem::NEVER);
    auto order = topologicalOrder(problem, around);
    for (uint32_t d = 0; d < problem.devices.size(); ++d) {
      Schedule single{std::vector<uint32_t>(problem.tasks.size(), d), order};
      if (fitsMemory(problem, single.device))
        REQUIRE(seconds <= makespan(problem, around, single) * (1 + 1e-9));
    }
    ++count;
  }
  REQUIRE(count >= 90);
}

}  // namespace
}  // namespace hearth::router

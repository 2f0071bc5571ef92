#pragma once
// Reduces a failing scenario to a small one that fails in the same way: storms become the steps that
// they were, then steps, devices, words and time are taken away for as long as the same checker
// complains (delta debugging: Zeller, Hildebrandt, "Simplifying and Isolating Failure-Inducing Input",
// 2002).

#include "simulator/story/catalogue.h"
#include "simulator/story/scenario.h"

#include <functional>

namespace hearth::cli {

struct Shrunk {
  sim::Scenario scenario;
  std::string checker;  // that complains: "exactly-once", ...; empty: the scenario does not fail
  size_t runs = 0;
};

// Every run is a process of its own. `told` is given a line of progress now and then.
Shrunk shrink(const sim::Scenario& scenario, const sim::Catalogue& catalogue, uint64_t seed,
    const std::function<void(const std::string&)>& told);

}  // namespace hearth::cli

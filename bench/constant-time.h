#pragma once
// hearth-bench constant-time: whether comparisons of secrets take a time that tells of them.

#include <nlohmann/json.hpp>

namespace hearth::bench {

struct ConstantTimeOptions {
  uint32_t timings = 1'000'000;  // of each comparison
};

// {"timings"; "t": Welch's t between the times that equal and unequal inputs take, by what is compared:
//  "mac", "cookie", "commit", "token"; "t_max": the greatest |t| of these (the goal: < 4.5); "planted": the
//  same of a comparison that ends at the first difference, which shows that the method finds one}
nlohmann::json measureConstantTime(const ConstantTimeOptions& options);

}  // namespace hearth::bench

#pragma once
// How long something lasts, as people type and read it: "90s", "10m", "1h30m", "2d".

#include <cstdint>
#include <string>

namespace hearth::cli {

// Milliseconds, one or more, in days, hours, minutes and seconds. Throws Failure for anything else.
uint64_t spanOf(const std::string& typed);

// "42 s", "9 min", "3 h", "2 d": rounded up, so that nothing that is left is 0.
std::string spanText(uint64_t ms);

}  // namespace hearth::cli

#pragma once
// A directory that lasts as long as a measurement, in $TMPDIR or /tmp. What measures runs in a child of this
// process, and the directory goes when that child has ended, however it did: also when somebody presses Ctrl-C.

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace hearth::bench {

// What `measure` returns. Throws when it throws, dies or is stopped.
nlohmann::json inScratch(
    const std::function<nlohmann::json(const std::string& directory)>& measure);

}  // namespace hearth::bench

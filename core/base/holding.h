#pragma once
// What a part of the daemon holds now, beside the most that it may hold. Whoever watches a daemon
// asks for all of them while time passes: a peer, a radio or a disk that stalls must not let memory
// grow.

#include <cstddef>
#include <vector>

namespace hearth {

struct Holding {
  const char* what;  // in words: "streams of a link"
  size_t now, most;
};

using Holdings = std::vector<Holding>;

}  // namespace hearth

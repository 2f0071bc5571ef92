#pragma once
// Two bare devices on one network, with a connection between them.

#include "tests/simulator/wires.h"

namespace hearth::sim {

constexpr size_t BUFFERED = Flow::SEND_BUFFER_BYTES + Flow::RECEIVE_WINDOW_BYTES;  // at both ends

struct Line: Wires {
  Pair pair;
  kj::Duration begun;

  explicit Line(NetworkKind kind = Wires::lan(), uint64_t seed = 1): Wires(seed) {
    join(kj::mv(kind), {0, 1});
    pair = connect(0, 1);
    begun = time.elapsed();
  }
  kj::Duration took(kj::Duration at) const { return at - begun; }
  bool refusesWrite(Stream& stream) {
    auto written = write(stream, "more");
    run(0 * kj::SECONDS);
    return written->isDisconnected();
  }
};

}  // namespace hearth::sim

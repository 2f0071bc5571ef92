#pragma once
// What stands behind a hearth_t.

#include "bindings/c/transport.h"

struct hearth_handle {
  kj::Own<hearth::local::Transport> transport;
};

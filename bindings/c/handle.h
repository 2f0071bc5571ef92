#pragma once
// What stands behind a hearth_t.

#include "bindings/c/transport.h"

#include <kj/mutex.h>

#include <string>

struct hearth_handle {
  explicit hearth_handle(kj::Own<hearth::local::Transport> transport)
      : transport(kj::mv(transport)) {}

  kj::Own<hearth::local::Transport> transport;
  // What the app says of itself from now on, for the call that attends (hearth_doc_become).
  kj::MutexGuarded<kj::Maybe<std::string>> becomes;
};

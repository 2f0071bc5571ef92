#pragma once
// A node, for capabilities that may outlive it.

#include "devices/node/node.h"

#include <kj/refcount.h>

namespace hearth::local {

struct NodeWhileThere final: public kj::Refcounted {
  explicit NodeWhileThere(devices::Node& node): node(node) {}
  kj::Maybe<devices::Node&> node;  // none: it is gone

  devices::Node& there() {
    KJ_IF_MAYBE(is, node) return *is;
    kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "hearthd ends"));
  }
};

}  // namespace hearth::local

#pragma once
// The Limits capability of bindings.capnp over a node.

#include "bindings/bindings.capnp.h"
#include "bindings/local/node-while-there.h"

namespace hearth::local {

Limits::Client newLimits(kj::Own<NodeWhileThere> node);

}  // namespace hearth::local

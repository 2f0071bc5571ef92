#pragma once
// The Settings capability of bindings.capnp over a node.

#include "bindings/bindings.capnp.h"
#include "bindings/local/node-while-there.h"

namespace hearth::local {

Settings::Client newSettings(kj::Own<NodeWhileThere> node);

}  // namespace hearth::local

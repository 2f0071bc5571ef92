#pragma once
// The Presence capability of bindings.capnp over a node.

#include "bindings/bindings.capnp.h"
#include "bindings/local/node-while-there.h"

namespace hearth::local {

Presence::Client newPresence(kj::Own<NodeWhileThere> node, std::string document);

}  // namespace hearth::local

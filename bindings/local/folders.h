#pragma once
// The Folders capability of bindings.capnp over a node.

#include "bindings/bindings.capnp.h"
#include "bindings/local/node-while-there.h"

namespace hearth::local {

Folders::Client newFolders(kj::Own<NodeWhileThere> node);

}  // namespace hearth::local

#pragma once
// The Clipboard capability of bindings.capnp over a node.

#include "bindings/bindings.capnp.h"
#include "bindings/local/node-while-there.h"

namespace hearth::local {

Clipboard::Client newClipboard(kj::Own<NodeWhileThere> node);

}  // namespace hearth::local

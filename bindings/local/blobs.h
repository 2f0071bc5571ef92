#pragma once
// The Blobs capability of bindings.capnp over a node.

#include "bindings/bindings.capnp.h"
#include "bindings/local/node-while-there.h"

namespace hearth::local {

Blobs::Client newBlobs(kj::Own<NodeWhileThere> node);

}  // namespace hearth::local

#pragma once
// Facts to and from their wire form. What a peer says about itself is taken for what it says, within
// limits: numbers that cannot be are refused.

#include "router/place/facts.h"
#include "router/router.capnp.h"

namespace hearth::router {

void write(const DeviceFacts& facts, rpc::DeviceFacts::Builder out);

// Errors: BAD_FORMAT, LIMIT_EXCEEDED.
Result<DeviceFacts> readFacts(rpc::DeviceFacts::Reader reader);

}  // namespace hearth::router

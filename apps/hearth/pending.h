#pragma once
// What waits for another admin, as people and scripts are shown it.

#include "apps/hearth/output.h"
#include "bindings/bindings.capnp.h"

namespace hearth::cli {

nlohmann::json toJson(local::Pending::Reader pending);

// "make tablet an admin: waits for laptop (there: hearth approve 1a2b3c4d)"
std::string lineOf(local::Pending::Reader pending);

// The beginning of its id by which people name it.
std::string shortId(local::Pending::Reader pending);

// "laptop, phone"
std::string joined(capnp::List<capnp::Text>::Reader texts);

}  // namespace hearth::cli

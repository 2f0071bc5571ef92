#pragma once
// The Documents capability of bindings.capnp over a node.

#include "bindings/bindings.capnp.h"
#include "bindings/local/node-while-there.h"

namespace hearth::local {

// A version as text: "41@A2JBT6B,7@KYV64UN", the events that none of its others follows, each by its author's
// count and the beginning of the author's id; "0" for nothing.
std::string versionText(const storage::EventGraph& graph, const storage::Version& version);
// Errors: BAD_FORMAT.
Result<storage::Version> parseVersion(const storage::EventGraph& graph, kj::StringPtr text);

Documents::Client newDocuments(kj::Own<NodeWhileThere> documents);

}  // namespace hearth::local

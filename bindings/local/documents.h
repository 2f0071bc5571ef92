#pragma once
// The Documents capability of bindings.capnp over a node.

#include "bindings/bindings.capnp.h"
#include "devices/node/node.h"

namespace hearth::local {

// A version as text: "41@A2JBT6B,7@KYV64UN", the events that none of its others follows, each by its author's
// count and the beginning of the author's id; "0" for nothing.
std::string versionText(const storage::EventGraph& graph, const storage::Version& version);
// Errors: BAD_FORMAT.
Result<storage::Version> parseVersion(const storage::EventGraph& graph, kj::StringPtr text);

// A node's documents, for capabilities that may outlive it.
struct DocumentsWhileThere final: public kj::Refcounted {
  explicit DocumentsWhileThere(devices::Node& node): node(node) {}
  kj::Maybe<devices::Node&> node;  // none: it is gone

  devices::Node& there() {
    KJ_IF_MAYBE(is, node) return *is;
    kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "hearthd ends"));
  }
};

Documents::Client newDocuments(kj::Own<DocumentsWhileThere> documents);

}  // namespace hearth::local

#pragma once
// The content of documents as JSON (bindings.capnp, "Document").

#include "storage/crdt/draft.h"

namespace hearth::local {

constexpr size_t JSON_BYTES_MAX = 16 << 20;

// `typed`: with what JSON has not as an object with one key; else the nearest that it has.
std::string jsonOf(const storage::Tree& tree, bool typed);

// Errors: BAD_FORMAT, LIMIT_EXCEEDED.
Result<storage::Tree> treeOf(kj::StringPtr json);

// A JSON Patch (RFC 6902) that makes the second of the first.
std::string patchBetween(const storage::Tree& first, const storage::Tree& second);

// A JSON Pointer (RFC 6901). Errors: BAD_FORMAT.
Result<storage::Path> pathOf(kj::StringPtr pointer);

}  // namespace hearth::local

#pragma once
// What somebody who sees a document may do to it next, at random.

#include "storage/crdt/draft.h"
#include "tests/crypto/seeds.h"

namespace hearth::storage {

// Containers that this document has and has not, with the document itself.
std::vector<Event> containersOf(const Document& document, kj::Maybe<Container> kind = nullptr);

// A transaction: a few operations on any containers, or what makes a place become something else.
std::vector<Op> someOps(Document& document, Luck& luck);

// One to six code points.
std::string someWord(Luck& luck);

// In one line, for who reads a story.
std::string said(const Op& op);
std::string said(const Tree& tree);

}  // namespace hearth::storage

#pragma once
// Taking back what one's own operations have done, and nothing of what others did meanwhile: operations that
// make it so again.

#include "storage/crdt/draft.h"

namespace hearth::storage {

// What undoes these events, of one author and one transaction or several that follow one another, when what the
// same author did later has been undone. Of what others did beside them there is then what there would be without
// these events; what somebody who had seen them has replaced since stays. A container that comes back is a new one
// with the same content.
std::vector<Op> opsToUndo(Document& document, EventRange events);

}  // namespace hearth::storage

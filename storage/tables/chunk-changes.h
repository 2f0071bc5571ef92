#pragma once
// A file that changed, and where its chunks are by now. Both trees are walked side by side: what is the same at the same
// place is passed over whole, so that to append a little writes a few rows, however large the file is.

#include "storage/tables/chunk-places.h"

namespace hearth::storage::chunk_places {

// What of `before` is not at its place any more is forgotten, and what is new of `after` known to be there; none: there
// was or is no such file. What lies below nodes that are not here is left as it was.
void change(Database& db, int64_t source, const kj::Maybe<BlobRef>& before, const BlobRef& after);

}  // namespace hearth::storage::chunk_places

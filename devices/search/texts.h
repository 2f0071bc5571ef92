#pragma once
// The text of what can be found: of a document, and of a file that is one.

#include "storage/crdt/tree.h"
#include "storage/folder/file-tree.h"

#include <optional>

namespace hearth::devices {

// Its strings and texts, a line each, as far as the index takes them. None: there is nothing in it.
std::optional<std::string> textOf(const storage::Tree& document);

// The beginning of a file, as far as the index takes it; empty for one that is no text in UTF-8. Blocks: off the loop.
storage::TreeResult<std::string> textOf(storage::FileTree& files, const storage::FolderPath& path);

// As much of the front of some bytes as is text; none of it where there are zeros or other bytes that no text has.
std::string_view textAtFront(std::string_view bytes);

}  // namespace hearth::devices

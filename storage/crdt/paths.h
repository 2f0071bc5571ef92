#pragma once
// Where something is in a document, and what is there and whose.

#include "storage/crdt/tree.h"

namespace hearth::storage {

// Keys of maps and indexes of lists, from the document on.
using Path = std::vector<std::string>;

constexpr Error NOTHING_THERE{
    Errc::BAD_FORMAT, "nothing is there: hearth doc get NAME shows what is"_kj};
constexpr Error NO_INDEX{Errc::BAD_FORMAT, "a list has elements 0, 1, 2 … and - behind them"_kj};

// What a part of a path means in a list of so many; none for anything else.
kj::Maybe<uint32_t> indexIn(const std::string& token, uint32_t size);

// The place at a path, which is not empty. Errors: BAD_FORMAT when nothing is there.
Result<const Place*> placeAt(Document& document, const Path& path);

// The same as content; the document itself has an empty path.
Result<Tree> treeAt(Document& document, const Path& path);

// Who wrote what is there, and when: of a text piece by piece, of anything else whoever put it there.
struct Piece {
  Tree content;
  DeviceId author;
  int64_t timeMs;
};
Result<std::vector<Piece>> piecesAt(Document& document, const Path& path);

}  // namespace hearth::storage

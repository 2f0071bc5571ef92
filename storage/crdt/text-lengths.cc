#include "storage/crdt/text-lengths.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::storage {

TextLog::Piece asMade(TextLog::Piece piece, uint32_t length) {
  auto count = piece.events.size();
  if (piece.kind == TextLog::Kind::INSERT) {
    piece.at = kj::min(piece.at, length);
  } else if (piece.kind == TextLog::Kind::DELETE) {
    piece.at = kj::min(piece.at, length);
    piece.events.end = piece.events.begin + kj::min(count, length - piece.at);
  } else {
    // The first ones find nothing, until the position comes into the text.
    auto idle = kj::min(count, piece.at < length ? 0 : piece.at - length + 1);
    piece.events.begin += idle;
    piece.at -= kj::min(piece.at, idle + piece.events.size() - (piece.events.size() > 0));
    piece.kind = TextLog::Kind::DELETE;
  }
  return piece;
}

void TextLengths::note(Event event, uint32_t length) {
  while (!noted.empty() && noted.back().event >= event) noted.pop_back();
  noted.push_back({event, length});
}

uint32_t TextLengths::before(Event event, const TextLog& log) const {
  auto after = std::ranges::upper_bound(noted, event, {}, &Noted::event);
  if (after == noted.begin()) return 0;
  auto [from, length] = *(after - 1);
  if (from == event) return length;
  log.eachIn({from, event}, [&](const TextLog::Piece& piece) {
    auto made = asMade(piece, length);
    auto count = made.events.size();
    length = made.kind == TextLog::Kind::INSERT ? length + count : length - count;
  });
  return length;
}

}  // namespace hearth::storage

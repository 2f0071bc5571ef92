#include "storage/crdt/rope.h"

#include <algorithm>
#include <cstring>

namespace hearth::storage {

namespace {

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

// The longest beginning of at most `most` bytes that ends with a code point.
std::string_view beginning(std::string_view utf8, size_t most) {
  if (utf8.size() <= most) return utf8;
  while (most > 0 && continues(utf8[most])) --most;
  return utf8.substr(0, most);
}

}  // namespace

uint32_t codePoints(std::string_view utf8) {
  uint32_t count = 0;
  for (char byte: utf8) count += !continues(byte);
  return count;
}

size_t bytesOf(std::string_view utf8, uint32_t points) {
  size_t at = 0;
  for (; at < utf8.size(); ++at) {
    if (!continues(utf8[at]) && points-- == 0) break;
  }
  return at;
}

void Rope::Piece::replace(size_t from, size_t count, std::string_view with) {
  memmove(utf8 + from + with.size(), utf8 + from + count, bytes - from - count);
  std::ranges::copy(with, utf8 + from);
  bytes = static_cast<uint16_t>(bytes - count + with.size());
}

// Where something is inserted: at the end of a piece rather than at the beginning of the next.
Rope::Pieces::Found Rope::place(uint32_t at) {
  KJ_REQUIRE(at <= length(), "a position beyond the text");
  if (at == 0) return {pieces.first(), 0};
  auto found = pieces.find(&Piece::Sums::points, at - 1);
  return {found.ref, found.offset + 1};
}

// Ends a piece there; what stood behind it becomes the next.
Rope::Pieces::Ref Rope::split(Pieces::Found where) {
  auto& piece = pieces.at(where.ref);
  auto offset = piece.offsetOf(where.offset);
  if (offset == piece.bytes) return where.ref;
  Piece rest;
  rest.bytes = rest.points = 0;
  rest.replace(0, 0, piece.view().substr(offset));
  rest.points = static_cast<uint16_t>(piece.points - where.offset);
  pieces.update(where.ref, [&](Piece& cut) {
    cut.bytes = static_cast<uint16_t>(offset);
    cut.points = static_cast<uint16_t>(where.offset);
  });
  pieces.insertAfter(where.ref, rest);
  return where.ref;
}

void Rope::insert(uint32_t at, std::string_view utf8) {
  if (utf8.empty()) return;
  auto where = place(at);
  if (where.ref != Pieces::NONE) {
    auto& piece = pieces.at(where.ref);
    if (piece.bytes + utf8.size() <= PIECE_BYTES) {
      pieces.update(where.ref, [&](Piece& grown) {
        grown.replace(grown.offsetOf(where.offset), 0, utf8);
        grown.points = static_cast<uint16_t>(grown.points + codePoints(utf8));
      });
      return;
    }
    // A full piece that is typed into is halved, so that what follows has room.
    if (utf8.size() < PIECE_BYTES / 2) {
      auto half = codePoints(beginning(piece.view(), piece.bytes / 2));
      split({where.ref, half});
      return insert(at, utf8);
    }
    where.ref = where.offset == 0 ? Pieces::NONE : split(where);
  }
  for (auto after = where.ref; !utf8.empty();) {
    auto part = beginning(utf8, PIECE_BYTES);
    Piece fresh;
    fresh.replace(0, 0, part);
    fresh.points = static_cast<uint16_t>(codePoints(part));
    after = pieces.insertAfter(after, fresh);
    utf8.remove_prefix(part.size());
  }
}

void Rope::erase(uint32_t at, uint32_t count) {
  KJ_REQUIRE(at <= length() && count <= length() - at, "a range beyond the text");
  while (count > 0) {
    auto found = pieces.find(&Piece::Sums::points, at);
    auto& piece = pieces.at(found.ref);
    auto gone = kj::min(count, piece.points - found.offset);
    count -= gone;
    if (gone == piece.points) {
      pieces.erase(found.ref);
      continue;
    }
    pieces.update(found.ref, [&](Piece& cut) {
      auto from = cut.offsetOf(found.offset);
      auto to = cut.offsetOf(found.offset + gone);
      cut.replace(from, to - from, {});
      cut.points = static_cast<uint16_t>(cut.points - gone);
    });
    joinWithNext(found.ref);
  }
}

// Two neighbours that would fill no more than half of a piece become one: a text from which most was
// deleted does not go on holding the room.
void Rope::joinWithNext(Pieces::Ref ref) {
  auto next = pieces.next(ref);
  if (next == Pieces::NONE) return;
  auto& other = pieces.at(next);
  if (pieces.at(ref).bytes + other.bytes > PIECE_BYTES / 2) return;
  pieces.update(ref, [&](Piece& grown) {
    grown.replace(grown.bytes, 0, pieces.at(next).view());
    grown.points = static_cast<uint16_t>(grown.points + pieces.at(next).points);
  });
  pieces.erase(next);
}

std::string Rope::text(uint32_t from, uint32_t count) {
  KJ_REQUIRE(from <= length() && count <= length() - from, "a range beyond the text");
  std::string out;
  if (count == 0) return out;
  auto found = pieces.find(&Piece::Sums::points, from);
  for (auto ref = found.ref; count > 0; ref = pieces.next(ref), found.offset = 0) {
    auto& piece = pieces.at(ref);
    auto taken = kj::min(count, piece.points - found.offset);
    auto begin = piece.offsetOf(found.offset);
    out.append(piece.view().substr(begin, piece.offsetOf(found.offset + taken) - begin));
    count -= taken;
  }
  return out;
}

std::string Rope::text() { return text(0, length()); }

}  // namespace hearth::storage

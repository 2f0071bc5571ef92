#pragma once
// A text that changes anywhere: pieces of UTF-8 in a Sequence. Positions and lengths count Unicode
// code points.

#include "storage/crdt/sequence.h"

#include <kj/string.h>

#include <string>
#include <string_view>

namespace hearth::storage {

// Requires UTF-8 for all of these.
uint32_t codePoints(std::string_view utf8);
size_t bytesOf(std::string_view utf8, uint32_t points);  // that the first so many code points take

class Rope final {
 public:
  uint32_t length() const { return pieces.total().points; }

  // Requires a position within the text.
  void insert(uint32_t at, std::string_view utf8);
  void erase(uint32_t at, uint32_t count);
  std::string text(uint32_t from, uint32_t count);
  std::string text();

 private:
  static constexpr size_t PIECE_BYTES = 488;

  struct Piece {
    struct Sums {
      uint32_t points = 0;
      Sums& operator+=(const Sums& other) {
        points += other.points;
        return *this;
      }
    };
    uint16_t points = 0, bytes = 0;
    char utf8[PIECE_BYTES];

    Sums sums() const { return {points}; }
    std::string_view view() const { return {utf8, bytes}; }
    size_t offsetOf(uint32_t point) const {
      return points == bytes ? point : bytesOf(view(), point);
    }
    void replace(size_t from, size_t count, std::string_view with);
  };
  using Pieces = Sequence<Piece>;

  Pieces pieces;

  Pieces::Found place(uint32_t at);
  Pieces::Ref split(Pieces::Found where);
  void joinWithNext(Pieces::Ref ref);
};

}  // namespace hearth::storage

#pragma once
// How long a text was, at the places where merging may have to begin: noted while it is written.

#include "storage/crdt/text-log.h"

namespace hearth::storage {

// What an edit that was made to the whole text changes in it, as INSERT or DELETE, perhaps of no events.
// One beyond the end of the text means its end.
TextLog::Piece asMade(TextLog::Piece piece, uint32_t length);

class TextLengths final {
 public:
  // With all events before `event` the text was this long. Later ones are forgotten.
  void note(Event event, uint32_t length);

  // Requires that all edits between the last one noted and `event` are of one run, each made to the whole
  // text.
  uint32_t before(Event event, const TextLog& log) const;

 private:
  struct Noted {
    Event event;
    uint32_t length;
  };
  std::vector<Noted> noted;  // ascending
};

}  // namespace hearth::storage

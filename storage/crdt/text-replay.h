#pragma once
// Makes a text of a log of edits: by what is straight in the graph directly, by what was concurrent through
// a TextTracker, stretch by stretch between the critical events.

#include "storage/crdt/rope.h"
#include "storage/crdt/text-lengths.h"
#include "storage/crdt/text-tracker.h"

#include <kj/function.h>

namespace hearth::storage {

class TextReplay final {
 public:
  using Emit = kj::Function<void(const TextLog::Piece&)>;

  // All outlive this object. `rope` is the text with what came before, `lengths` what is noted of it; each
  // change is told to `emit` as it is made.
  TextReplay(
      const EventGraph& graph, const TextLog& log, TextLengths& lengths, Rope& rope, Emit emit);

  // Events [first, end), where `rope` holds all before. `end` is critical.
  void all(Event first, Event end);

  // Whose each code point of the newest text is.
  static std::vector<EventRange> authorship(const EventGraph& graph, const TextLog& log);

 private:
  struct Step {
    EventRange events;
    Version parents;
  };

  const EventGraph& graph;
  const TextLog& log;
  TextLengths& lengths;
  Rope& rope;
  Emit emit;

  void make(const TextLog::Piece& piece);
  void straight(EventRange events);
  void concurrent(Event critical, Event first, Event end);
  std::vector<Step> planned(const std::vector<EventRange>& ranges) const;
  template <typename F>
  void walk(
      TextTracker& tracker, Version& prepared, const std::vector<EventRange>& ranges, F&& take);
};

}  // namespace hearth::storage

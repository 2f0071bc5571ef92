#pragma once
// A text that several devices write at the same time, as the sequence type of a document: its log of
// edits and the text that they make. Straight typing costs an append and a change of the rope; only where
// edits were concurrent are they put in order, by a TextTracker that is dropped afterwards.

#include "storage/crdt/rope.h"
#include "storage/crdt/text-lengths.h"
#include "storage/crdt/text-tracker.h"

namespace hearth::storage {

class Text final {
 public:
  // A change of the text, for whoever shows it: `count` code points at `at` are gone, or `content` came.
  struct Change {
    uint32_t at;
    uint32_t erased;
    std::string_view inserted;
  };
  using Changes = std::vector<Change>;

  uint32_t length() const { return rope.length(); }
  std::string text() { return rope.text(); }

  // Edits by somebody who saw the text as it is now: `events` are the newest of the graph, one for each
  // code point. Requires positions within the text, and UTF-8.
  void insert(EventRange events, uint32_t at, std::string_view utf8);
  void erase(EventRange events, uint32_t at);
  void backspace(EventRange events, uint32_t at);

  // Edits of somebody else are first put into the log, then merged: all events from `first` on. Gives
  // what changed, in order.
  TextLog& edits() { return log; }
  const TextLog& edits() const { return log; }
  Changes merge(const EventGraph& graph, Event first);

  // Whose each code point is: runs of events, in the order of the text.
  std::vector<EventRange> authorship(const EventGraph& graph) const;

 private:
  TextLog log;
  TextLengths lengths;
  Rope rope;

  template <typename F>
  void write(EventRange events, F&& addToLog);
};

}  // namespace hearth::storage

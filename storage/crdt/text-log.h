#pragma once
// What was typed into one text and deleted from it, event by event, as positions in the text that the
// author saw. Neighbouring keystrokes are stored as one run:
//
//   INSERT      one code point at `at`, the next at `at` + 1, …
//   DELETE      the code point at `at`, again and again (the Delete key, or a selection)
//   BACKSPACE   the code point at `at`, then the one at `at` - 1, …

#include "storage/crdt/event-graph.h"

#include <string>
#include <string_view>

namespace hearth::storage {

class TextLog final {
 public:
  enum class Kind : uint8_t { INSERT, DELETE, BACKSPACE };

  struct Run {
    Kind kind;
    EventRange events;
    uint32_t at;
    size_t contentAt = 0, contentBytes = 0;  // of INSERT, in content()

    bool operator==(const Run&) const = default;
  };

  // Part of a run. `content` is all of the inserted text.
  struct Piece {
    Kind kind;
    EventRange events;
    uint32_t at;
    std::string_view content;
  };

  // Requires events beyond all that are here, one for each code point, of UTF-8.
  void insert(EventRange events, uint32_t at, std::string_view utf8);
  void erase(EventRange events, uint32_t at);
  void backspace(
      EventRange events, uint32_t at);  // the first at `at`; requires as many from there back

  // Calls for every piece of a run that lies in `events`, in their order. Events that are not of this
  // text are passed over.
  template <typename F>
  void eachIn(EventRange events, F&& take) const {
    for (auto i = firstEndingBeyond(events.begin); i < runs_.size(); ++i) {
      if (runs_[i].events.begin >= events.end) break;
      take(pieceOf(runs_[i], events));
    }
  }

  const std::vector<Run>& runs() const { return runs_; }
  std::string_view content() const { return content_; }

 private:
  std::vector<Run> runs_;
  std::string content_;

  size_t firstEndingBeyond(Event event) const;
  Piece pieceOf(const Run& run, EventRange events) const;
  bool isNewest(EventRange events) const;
  bool goesBackTo(EventRange events, uint32_t at) const;
};

}  // namespace hearth::storage

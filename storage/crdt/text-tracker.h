#pragma once
// The state in which concurrent edits of one text are put in order (Gentle and Kleppmann, Collaborative
// Text Editing with Eg-walker, EuroSys 2025, §3). It sees the text at two versions at once:
//
//   prepared   what the author of the next event saw: events are taken back and put in again until it is
//              that version
//   effective  with everything that was ever applied here
//
// Positions of an event are read in the first and translated into the second. What stood in the text
// before the oldest of these events is one item. Where several insert at one place, the order is that of
// FugueMax (Weidner and Kleppmann, The Art of the Fugue, 2023), found by Gentle's rule for YATA, so that
// runs of concurrent typing do not interleave. A position beyond the end of the text that the author saw
// means its end: hostile bytes converge as well.

#include "storage/crdt/event-graph.h"
#include "storage/crdt/sequence.h"
#include "storage/crdt/text-log.h"

#include <map>

namespace hearth::storage {

class TextTracker final {
 public:
  // Both outlive this object. `lengthBefore`: of the text before all of the events.
  TextTracker(const EventGraph& graph, const TextLog& log, uint32_t lengthBefore);

  // Moves the prepared version back over events, and forward.
  void takeBack(EventRange events) { shift(events, -1); }
  void putIn(EventRange events) { shift(events, 1); }

  // Takes events for the first time, whose parents are the prepared version. Calls emit(TextLog::Piece)
  // for each change of the effective text, in order; BACKSPACE does not occur in them.
  template <typename F>
  void apply(EventRange events, F&& emit) {
    log.eachIn(events, [&](TextLog::Piece piece) {
      while (piece.events.size() > 0) {
        auto [change, taken] =
            piece.kind == TextLog::Kind::INSERT ? insertFirst(piece) : eraseFirst(piece);
        if (change.events.size() > 0) emit(change);
        piece.events.begin += taken;
      }
    });
  }

  // Who wrote what stands in the text, in its order: runs of events.
  std::vector<EventRange> visible() const;

 private:
  static constexpr Event BEFORE =
      0x8000'0000;  // and up: what stood there before all of these events
  static constexpr Event NOTHING = 0xffff'ffff;  // no neighbour on the left

  struct Item {
    struct Sums {
      uint32_t all = 0, prepared = 0, effective = 0;
      Sums& operator+=(const Sums& other) {
        all += other.all;
        prepared += other.prepared;
        effective += other.effective;
        return *this;
      }
    };
    Event first = 0;  // the others follow
    uint32_t count = 0;
    Event originLeft = NOTHING;  // of the first; each other has the one before it
    Event originRight = NOTHING;
    int32_t presence = 1;  // when prepared; 0: not inserted yet, 1: there, 1 + n: deleted n times
    bool deleted = false;  // in the effective text

    Event end() const { return first + count; }
    Sums sums() const { return {count, presence == 1 ? count : 0, deleted ? 0 : count}; }
  };
  using Items = Sequence<Item>;
  using Ref = Items::Ref;

  struct Deletion {  // the event e + i has deleted first + i, or first - i
    uint32_t count;
    Event first;
    bool backwards;
  };
  struct Taken {
    TextLog::Piece change;  // of no events when nothing changes
    uint32_t events;        // that are done with
  };

  const EventGraph& graph;
  const TextLog& log;
  Items items;                   // the last one stands for the end of the text and is always there
  std::map<Event, Ref> holders;  // of each item, by its first event
  std::map<Event, Deletion> deletions;  // by their first event

  uint32_t preparedLength() const { return items.total().prepared - 1; }
  Taken insertFirst(const TextLog::Piece& piece);
  Taken eraseFirst(TextLog::Piece& piece);
  void shift(EventRange events, int32_t step);
  void shiftItems(Event first, uint32_t count, int32_t step);

  struct Gap {
    Ref left, right;  // items; NONE: the text begins there
  };
  Gap gapAt(uint32_t preparedAt);
  Ref placeFor(Gap gap, Event event);

  Ref add(Ref after, Item item);
  Ref cut(Ref ref, uint32_t offset);
  Ref isolate(Ref ref, uint32_t offset, uint32_t count);
  Ref holderOf(Event event) const;
  Event lastOf(Ref ref) const { return ref == Items::NONE ? NOTHING : items.at(ref).end() - 1; }
  uint32_t placeOf(Event event);
};

}  // namespace hearth::storage

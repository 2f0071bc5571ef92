#pragma once
// A list whose elements can be moved (Kleppmann, Moving Elements in List CRDTs, PaPoC 2020). It has two
// layers: places, which are ordered for good and never go, and elements, each of which stands in the latest
// place that it was given. So an element that two devices move is in one place, not in two, and a write to an
// element follows it there.

#include "storage/crdt/places.h"
#include "storage/crdt/sequence.h"

namespace hearth::storage {

class List final {
 public:
  struct Element {
    Event place;          // where it stands
    Place value;          // what it holds
    bool hidden = false;  // deleted
    Event hiddenBy = 0;   // the latest HIDE or SHOW
  };

  uint32_t size() const { return slots.total().shown; }
  Event elementAt(uint32_t index);      // requires index < size()
  std::vector<Event> elements() const;  // in order

  // Places are named by the INSERT or MOVE that made them, elements by their INSERT.
  const Element* find(Event element) const;
  bool hasPlace(Event place) const { return refs.contains(place); }

  // The neighbours of a new place that shall be in front of the element at `index`, or at the end. Those of
  // nothing are Op::ROOT.
  struct Between {
    Event left, right;
  };
  Between at(uint32_t index);
  Between behind(Event place) const;

  // Requires places and elements that are here.
  void insert(const EventGraph& graph, Event event, Between where, Value value);
  void move(const EventGraph& graph, Event event, Event element, Between where);
  void set(const EventGraph& graph, Event event, Event element, Value value);
  void show(const EventGraph& graph, Event event, Event element, bool shown);

 private:
  struct Slot {
    struct Sums {
      uint32_t all = 0, shown = 0;
      Sums& operator+=(const Sums& other) {
        all += other.all;
        shown += other.shown;
        return *this;
      }
    };
    Event place = 0;
    Event element = 0;
    Between origins{};
    bool isShown = true;

    Sums sums() const { return {1, isShown}; }
  };
  using Slots = Sequence<Slot>;

  Slots slots;
  std::map<Event, Slots::Ref> refs;
  std::map<Event, Element> all;

  void addPlace(const EventGraph& graph, Slot slot);
  void update(const Element& element);
};

}  // namespace hearth::storage

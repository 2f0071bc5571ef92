#pragma once
// A document: a map of values and containers (map, list, text, counter, set), nested, that several devices
// change at the same time, offline as well, and that is the same on all of them once they have the same
// operations. It remembers every operation: it can be read as it was at any version, and of everything it
// can say who wrote it, and when.
//
// It is a value in memory: operations in, bundles of operations out. Where they are kept and how they travel
// is for others.

#include "storage/crdt/bundle.h"
#include "storage/crdt/list.h"
#include "storage/crdt/op-log.h"
#include "storage/crdt/text.h"

#include <set>

namespace hearth::storage {

class Document final {
 public:
  static constexpr uint8_t DEPTH_MAX = 64;  // of containers in containers

  struct Object {
    std::variant<Map, List, Text, Counter, Set> state;
    uint8_t depth;

    Container kind() const { return static_cast<Container>(state.index()); }
  };

  Document();

  const EventGraph& graph() const { return graph_; }
  Object& object(Event event) { return objects.at(event); }  // requires that it is one
  const Object* find(Event event) const;

  // Takes operations that follow the document as it is, all or none: one transaction. The event of the
  // first is graph().size() before; a container that one of them makes may be used by those after it.
  // Errors: BAD_FORMAT for an operation that does not fit its container, LIMIT_EXCEEDED.
  Result<EventRange> commit(const DeviceId& author, const std::vector<Op>& ops, int64_t nowMs);

  // What a merge has changed: the events that came, and the texts.
  struct Merged {
    EventRange events;
    std::map<Event, Text::Changes> texts;
  };

  // Takes what others did; what is here already is passed over. Each run is taken whole or not at all, in
  // order, and an error leaves the runs before it: `merged` says what has changed in either case.
  // Errors: STALE when something that it builds on is missing, BAD_FORMAT, LIMIT_EXCEEDED.
  Result<void> merge(const Bundle& bundle, Merged& merged);

  // All that is not in `known`, oldest first; cut into bundles so that each can be read.
  std::vector<Bundle> since(const Version& known) const;

  // Who did what when: events of one author that were made within a minute, oldest first.
  struct Change {
    EventRange events;
    DeviceId author;
    int64_t timeMs;
  };
  std::vector<Change> changes() const;

  // The document as it was.
  Document at(const Version& version) const;

  // What was done by these events, in order, each with its first event.
  std::vector<std::pair<Event, Op>> opsIn(EventRange events) const;

  // When its author's clock said that an event was made, milliseconds since 1970.
  int64_t timeMsOf(Event event) const;

 private:
  struct Time {
    Event event;
    int64_t ms;
  };
  // Which text is edited from there on, until the next: what one operation did is found without asking every text.
  struct Turn {
    Event event;
    Event text;
  };
  static constexpr int64_t TIME_STEP_MS = 60'000;  // times are told to the minute within a run

  class Cutter;
  class Names;

  EventGraph graph_;
  OpLog log;
  std::map<Event, Object> objects;
  std::vector<Time> times;  // of the events from there on
  std::vector<Turn> turns;

  bool isWithin(const Op& op, std::map<Event, uint32_t>& lengths) const;
  void make(Event event, const Op& op);
  void take(Event event, const Op& op, bool isNewest);
  void apply(Event event, const Op& op);
  void editText(EventRange events, const Op& op, bool isNewest);
  void noteTime(Event event, int64_t ms);
  std::set<Event> textsIn(EventRange events) const;

  Result<void> take(const Bundle& bundle, const Bundle::Run& run, Names& names, Merged& merged);
  Result<void> mayFollow(const DeviceId& author, const Version& parents) const;
  void takeTimes(const Bundle::Run& run, uint32_t known, Event first);
  std::vector<Bundle::Time> timesIn(EventRange events) const;
  std::vector<EventRange> runsIn(std::vector<EventRange> descending) const;
  std::vector<Bundle> bundlesOf(const std::vector<EventRange>& runs) const;
};

}  // namespace hearth::storage

#pragma once
// Who knew what when: the events of one document as a directed acyclic graph, each with the events that
// its author had seen. It holds no content.
//
// An event has two names. To the world it is (author, number of the author's); here it is a number in
// the order in which this device learned of it, in which parents always stand before their children.
// People write in runs, so runs are what is stored (Gentle and Kleppmann, Collaborative Text Editing with
// Eg-walker, EuroSys 2025, §3).

#include "core/base/ids.h"
#include "core/base/result.h"

#include <kj/common.h>

#include <cstdint>
#include <map>
#include <vector>

namespace hearth::storage {

using Event = uint32_t;
constexpr Event EVENTS_MAX = 0x7fff'ffff;

struct EventRange {
  Event begin = 0, end = 0;

  bool operator==(const EventRange&) const = default;
  uint32_t size() const { return end - begin; }
};

// A state of the document: the events that none of its others follows. Ascending, none twice.
using Version = std::vector<Event>;

// An author, as a number of this graph.
using AuthorIndex = uint16_t;

struct EventName {
  DeviceId author;
  uint32_t number;  // 0, 1, 2 …

  auto operator<=>(const EventName&) const = default;
};

class EventGraph final {
 public:
  static constexpr size_t AUTHORS_MAX = 4'096;
  static constexpr size_t PARENTS_MAX = 64;

  // Events that follow one another in one author's hand.
  struct Run {
    EventRange events;
    AuthorIndex author;
    uint32_t number;   // of the first
    uint32_t lamport;  // of the first: 1 + the greatest of its parents'
    Version parents;   // of the first; each other has the one before it
  };

  Event size() const { return runs_.empty() ? 0 : runs_.back().events.end; }
  const Version& version() const { return heads; }
  const std::vector<Run>& runs() const { return runs_; }
  size_t runOf(Event event) const;  // index into runs()

  // Errors: LIMIT_EXCEEDED for one author too many.
  Result<AuthorIndex> indexOf(const DeviceId& author);

  const std::vector<DeviceId>& everyAuthor() const { return authors; }

  // How many events of that author are here: they have no gaps.
  uint32_t countOf(const DeviceId& author) const;

  // Requires the author's next numbers, and parents that are here and are a version.
  // Errors: LIMIT_EXCEEDED.
  Result<EventRange> append(AuthorIndex author, uint32_t count, Version parents);

  kj::Maybe<Event> find(const EventName& name) const;
  // Where events of an author are: from that number on, as many as follow one another here, at most
  // `most`. Requires that the first is here.
  EventRange findRange(const EventName& first, uint32_t most) const;
  EventName nameOf(Event event) const;
  uint32_t lamportOf(Event event) const;
  Version parentsOf(Event event) const;

  // Of two concurrent writes to one place the later is shown: the greater Lamport time, then the greater
  // name. Every device agrees on it, and an event is later than all that it has seen.
  bool isLater(Event a, Event b) const;

  // Whether an event is one of a version's, or before it.
  bool holds(const Version& version, Event event) const;
  bool isVersion(const Version& version) const;

  struct Difference {
    std::vector<EventRange> onlyFirst, onlySecond;  // each descending
  };
  Difference difference(const Version& first, const Version& second) const;

  // A number is critical when every event from it on has seen every event before it: there nothing was
  // concurrent. 0 and size() are.
  Event criticalUpTo(Event most) const;      // the largest, at most `most`
  Event criticalBeyond(Event event) const;   // the smallest above, at most size()
  Version headsAt(Event critical) const;     // of all events before it
  Event straightFrom(Event critical) const;  // the last of those that follow it one by one

 private:
  struct AuthorRun {
    uint32_t number;
    Event event;
    uint32_t count;
  };

  std::vector<Run> runs_;
  std::vector<DeviceId> authors;
  std::map<DeviceId, AuthorIndex> indexes;
  std::vector<std::vector<AuthorRun>> byAuthor;
  Version heads;
  std::vector<EventRange> criticals;  // ascending, apart, without size()

  void updateCriticals(EventRange fresh, const Version& parents);
  void updateHeads(EventRange fresh, const Version& parents);
};

// The author's order decides between the concurrent: by author, then by number.
bool precedes(const EventGraph& graph, Event a, Event b);

}  // namespace hearth::storage

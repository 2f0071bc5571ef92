#pragma once
// Places that several may write at once: of all writes that nobody has seen and replaced, the latest is
// shown, and the others are kept until somebody who has seen them writes again.

#include "storage/crdt/event-graph.h"
#include "storage/crdt/value.h"

#include <algorithm>
#include <map>

namespace hearth::storage {

// One place: empty when its writes are none.
struct Place {
  struct Write {
    Event event;
    Value value;
  };
  std::vector<Write> writes;  // none has seen another; the one that is shown is the last

  bool isEmpty() const { return writes.empty(); }
  const Write& shown() const { return writes.back(); }
};

// Drops from a list of writes what the author of an event had seen.
template <typename List, typename EventOf>
void dropSeen(const EventGraph& graph, List& list, Event by, EventOf&& eventOf) {
  if (list.empty()) return;
  auto parents = graph.parentsOf(by);
  std::erase_if(list, [&](auto& write) { return graph.holds(parents, eventOf(write)); });
}

void write(const EventGraph& graph, Place& place, Event event, Value value);
void clear(const EventGraph& graph, Place& place, Event event);

// A map: places by key.
class Map final {
 public:
  using Places = std::map<std::string, Place, std::less<>>;

  const Places& places() const { return places_; }
  const Place* find(std::string_view key) const;
  void put(const EventGraph& graph, const std::string& key, Event event, Value value);
  void remove(const EventGraph& graph, const std::string& key, Event event);

 private:
  Places places_;  // none is empty
};

// A counter: what was added. It wraps around, as every device's does.
class Counter final {
 public:
  int64_t total() const { return static_cast<int64_t>(sum); }
  void add(int64_t count) { sum += static_cast<uint64_t>(count); }

 private:
  uint64_t sum = 0;
};

// A set of plain values. Of a value that one includes and another excludes at the same time, the
// inclusion stays.
class Set final {
 public:
  bool holds(const Value& value) const { return members.contains(value); }
  std::vector<Value> values() const;
  void include(const EventGraph& graph, const Value& value, Event event);
  void exclude(const EventGraph& graph, const Value& value, Event event);

 private:
  struct Order {
    bool operator()(const Value& a, const Value& b) const;
  };
  std::map<Value, std::vector<Event>, Order> members;  // with the inclusions that hold
};

}  // namespace hearth::storage

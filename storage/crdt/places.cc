#include "storage/crdt/places.h"

#include <bit>

namespace hearth::storage {

namespace {

Event eventOf(const Place::Write& write) { return write.event; }

}  // namespace

void clear(const EventGraph& graph, Place& place, Event event) {
  dropSeen(graph, place.writes, event, eventOf);
}

void write(const EventGraph& graph, Place& place, Event event, Value value) {
  clear(graph, place, event);
  place.writes.push_back({event, std::move(value)});
  if (place.writes.size() < 2) return;
  auto later = [&](const Place::Write& a, const Place::Write& b) {
    return graph.isLater(b.event, a.event);
  };
  std::ranges::sort(place.writes, later);
}

const Place* Map::find(std::string_view key) const {
  auto found = places_.find(key);
  return found == places_.end() ? nullptr : &found->second;
}

void Map::put(const EventGraph& graph, const std::string& key, Event event, Value value) {
  write(graph, places_[key], event, std::move(value));
}

void Map::remove(const EventGraph& graph, const std::string& key, Event event) {
  auto found = places_.find(key);
  if (found == places_.end()) return;
  clear(graph, found->second, event);
  if (found->second.isEmpty()) places_.erase(found);
}

// By type, then by value; doubles by their bits, so that the order is total.
bool Set::Order::operator()(const Value& a, const Value& b) const {
  if (a.index() != b.index()) return a.index() < b.index();
  if (auto text = std::get_if<std::string>(&a)) return *text < std::get<std::string>(b);
  if (auto octets = std::get_if<Octets>(&a)) return octets->bytes < std::get<Octets>(b).bytes;
  if (auto number = std::get_if<int64_t>(&a)) return *number < std::get<int64_t>(b);
  if (auto real = std::get_if<double>(&a))
    return std::bit_cast<uint64_t>(*real) < std::bit_cast<uint64_t>(std::get<double>(b));
  if (auto truth = std::get_if<bool>(&a)) return *truth < std::get<bool>(b);
  return false;
}

std::vector<Value> Set::values() const {
  std::vector<Value> all;
  for (auto& [value, inclusions]: members) all.push_back(value);
  return all;
}

void Set::include(const EventGraph& graph, const Value& value, Event event) {
  auto& inclusions = members[value];
  dropSeen(graph, inclusions, event, std::identity());
  inclusions.push_back(event);
}

void Set::exclude(const EventGraph& graph, const Value& value, Event event) {
  auto found = members.find(value);
  if (found == members.end()) return;
  dropSeen(graph, found->second, event, std::identity());
  if (found->second.empty()) members.erase(found);
}

}  // namespace hearth::storage

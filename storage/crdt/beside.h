#pragma once
// What others did beside an operation, and after it: what there would be without it, and what they have made of
// it since.

#include "storage/crdt/document.h"

#include <set>

namespace hearth::storage {

// All events that have not seen this one.
Version versionBeside(const EventGraph& graph, Event event);

// The places that others have written to who had seen an event. (A text keeps account of every letter itself.)
class WrittenSince final {
 public:
  // `beside`: versionBeside() of the event.
  WrittenSince(const Document& document, Event event, const Version& beside);

  bool hasKey(Event map, const std::string& key) const { return keys.contains({map, key}); }
  bool hasMember(Event set, const Value& value) const;
  bool hasValueOf(Event list, Event element) const { return values.contains({list, element}); }
  bool hasPlaceOf(Event list, Event element) const { return places.contains({list, element}); }
  bool hasShown(Event list, Event element) const { return shown.contains({list, element}); }

 private:
  std::set<std::pair<Event, std::string>> keys;
  std::vector<std::pair<Event, Value>> members;
  std::set<std::pair<Event, Event>> values, places, shown;

  void add(const Op& op);
};

}  // namespace hearth::storage

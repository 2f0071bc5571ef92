#pragma once
// Containers do not come back: when the operation that replaced one is undone, a new one with the same content
// stands in its place. What is done to the old one has then to be done to the one that stands for it.

#include "storage/crdt/document.h"

#include <kj/function.h>

namespace hearth::storage {

struct StandIn {
  Event was, now;   // containers; of the one that was asked for, or of one that it is in
  Event container;  // in which `now` stands
  std::string key;  // of a map
  Event element;    // of a list; ROOT in a map

  bool operator==(const StandIn&) const = default;
};

// None when the container is where it was put, or something else is there. `mayStandIn(event)`: of what was put
// there since.
kj::Maybe<StandIn> standInFor(
    const Document& document, Event container, kj::FunctionParam<bool(Event)> mayStandIn);

}  // namespace hearth::storage

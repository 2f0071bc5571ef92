#pragma once
// Whether operations fit the document: their containers are there, of the right kind and seen by their
// author, and so are the elements and places that they name. It depends on the past of the operations
// alone, so that every device says the same.

#include "storage/crdt/document.h"

#include <set>

namespace hearth::storage {

class Admission final {
 public:
  // The operations' events will be `first` and those after it, behind `parents`. Both outlive this object.
  Admission(const Document& document, Event first, const Version& parents);

  // Whether the next one fits. Errors: BAD_FORMAT, LIMIT_EXCEEDED.
  Result<void> admit(const Op& op);

 private:
  struct Made {
    Container kind;
    uint8_t depth;
  };

  const Document& document;
  const Version& parents;
  Event first, next;
  std::map<Event, Made> made;                         // containers, by these operations
  std::map<Event, std::set<Event>> places, elements;  // by these operations, of lists

  kj::Maybe<Made> containerAt(Event event) const;
  bool isSeen(Event event) const;
  bool hasPlace(Event list, Event place) const;
  bool hasElement(Event list, Event element) const;
  Result<void> fits(const Op& op, const Made& object);
};

}  // namespace hearth::storage

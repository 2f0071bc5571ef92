#pragma once
// The operations of a document that are not edits of a text, as they were made, in little memory. (A text
// keeps its own: TextLog.)

#include "storage/crdt/op.h"
#include "storage/crdt/varint.h"

namespace hearth::storage {

void writeValue(VarWriter& out, const Value& value);
Value readValue(VarReader& in);

class OpLog final {
 public:
  // Requires an event beyond all that are here, and no edit of a text.
  void add(Event event, const Op& op);

  // Calls take(Event, Op) for all that lie in `events`, in their order.
  template <typename F>
  void eachIn(EventRange events, F&& take) const {
    for (auto i = firstFrom(events.begin); i < rows.size() && rows[i].event < events.end; ++i)
      take(rows[i].event, opAt(i));
  }

 private:
  struct Row {
    Event event;
    size_t offset;
  };
  std::vector<Row> rows;
  std::string bytes;

  size_t firstFrom(Event event) const;
  Op opAt(size_t row) const;
};

}  // namespace hearth::storage

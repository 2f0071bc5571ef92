#include "storage/crdt/list.h"

#include "storage/crdt/gap.h"
#include "storage/crdt/op.h"

namespace hearth::storage {

Event List::elementAt(uint32_t index) {
  auto found = slots.find(&Slot::Sums::shown, index);
  KJ_REQUIRE(found.ref != Slots::NONE, "an index beyond the list");
  return slots.at(found.ref).element;
}

std::vector<Event> List::elements() const {
  std::vector<Event> shown;
  for (auto ref = slots.first(); ref != Slots::NONE; ref = slots.next(ref)) {
    if (slots.at(ref).isShown) shown.push_back(slots.at(ref).element);
  }
  return shown;
}

const List::Element* List::find(Event element) const {
  auto found = all.find(element);
  return found == all.end() ? nullptr : &found->second;
}

List::Between List::at(uint32_t index) {
  KJ_REQUIRE(index <= size(), "an index beyond the list");
  if (index > 0) return behind(slots.at(slots.find(&Slot::Sums::shown, index - 1).ref).place);
  auto first = slots.first();
  return {Op::ROOT, first == Slots::NONE ? Op::ROOT : slots.at(first).place};
}

List::Between List::behind(Event place) const {
  auto next = slots.next(refs.at(place));
  return {place, next == Slots::NONE ? Op::ROOT : slots.at(next).place};
}

void List::addPlace(const EventGraph& graph, Slot slot) {
  auto refOf = [&](Event place) { return place == Op::ROOT ? Slots::NONE : refs.at(place); };
  auto placesOf = [&](Between origins) {
    auto left = refOf(origins.left), right = refOf(origins.right);
    return GapPlaces{left == Slots::NONE ? 0 : slots.before(left).all + 1,
        right == Slots::NONE ? slots.total().all : slots.before(right).all};
  };
  // No honest device names a right neighbour that does not stand behind the left one. How two places stand is the
  // same everywhere, and so is what this makes of it.
  auto asked = placesOf(slot.origins);
  if (asked.right < asked.left) slot.origins.right = Op::ROOT;
  auto after = placeInGap(
      slots, refOf(slot.origins.left), refOf(slot.origins.right), placesOf(slot.origins),
      [&](Slots::Ref ref) { return placesOf(slots.at(ref).origins); },
      [&](Slots::Ref ref) { return precedes(graph, slot.place, slots.at(ref).place); });
  refs.emplace(slot.place, slots.insertAfter(after, slot));
}

void List::update(const Element& element) {
  slots.update(refs.at(element.place), [&](Slot& slot) { slot.isShown = !element.hidden; });
}

void List::insert(const EventGraph& graph, Event event, Between where, Value value) {
  addPlace(graph, {.place = event, .element = event, .origins = where});
  auto& element =
      all.emplace(event, Element{.place = event, .value = {}, .hiddenBy = event}).first->second;
  write(graph, element.value, event, std::move(value));
}

void List::move(const EventGraph& graph, Event event, Event moved, Between where) {
  auto& element = all.at(moved);
  bool isLater = graph.isLater(event, element.place);
  addPlace(graph, {.place = event, .element = moved, .origins = where, .isShown = false});
  if (!isLater) return;
  slots.update(refs.at(element.place), [](Slot& slot) { slot.isShown = false; });
  element.place = event;
  update(element);
}

void List::set(const EventGraph& graph, Event event, Event element, Value value) {
  write(graph, all.at(element).value, event, std::move(value));
}

void List::show(const EventGraph& graph, Event event, Event shown, bool isShown) {
  auto& element = all.at(shown);
  if (!graph.isLater(event, element.hiddenBy)) return;
  element.hiddenBy = event;
  element.hidden = !isShown;
  update(element);
}

}  // namespace hearth::storage

#include "storage/crdt/text-tracker.h"

#include "storage/crdt/gap.h"

namespace hearth::storage {

TextTracker::TextTracker(const EventGraph& graph, const TextLog& log, uint32_t lengthBefore)
    : graph(graph),
      log(log) {
  add(Items::NONE, {.first = BEFORE, .count = lengthBefore + 1});
}

TextTracker::Taken TextTracker::insertFirst(const TextLog::Piece& piece) {
  auto gap = gapAt(kj::min(piece.at, preparedLength()));
  // Everything between these two is unknown to the author; the first that is known ends it.
  auto right = gap.right;
  while (items.at(right).presence == 0) right = items.next(right);
  auto originRight = items.at(right).first;
  auto after = right == gap.right ? gap.left : placeFor({gap.left, right}, piece.events.begin);
  uint32_t at = 0;
  if (after != Items::NONE) {
    auto& item = items.at(after);
    at = items.before(after).effective + (item.deleted ? 0 : item.count);
  }
  bool continues = after != Items::NONE && after == gap.left &&
      items.at(after).end() == piece.events.begin && items.at(after).presence == 1 &&
      !items.at(after).deleted && items.at(after).originRight == originRight;
  if (continues) {
    items.update(after, [&](Item& item) { item.count += piece.events.size(); });
  } else {
    add(after,
        {.first = piece.events.begin,
            .count = piece.events.size(),
            .originLeft = lastOf(gap.left),
            .originRight = originRight});
  }
  return {{TextLog::Kind::INSERT, piece.events, at, piece.content}, piece.events.size()};
}

// What stands left and right of a position, with a border between items there.
TextTracker::Gap TextTracker::gapAt(uint32_t preparedAt) {
  if (preparedAt == 0) return {Items::NONE, items.first()};
  auto found = items.find(&Item::Sums::prepared, preparedAt - 1);
  if (found.offset + 1 < items.at(found.ref).count)
    return {found.ref, cut(found.ref, found.offset + 1)};
  return {found.ref, items.next(found.ref)};
}

TextTracker::Ref TextTracker::placeFor(Gap gap, Event event) {
  auto leftPlace = [&](Event origin) { return origin == NOTHING ? 0 : placeOf(origin) + 1; };
  GapPlaces own{leftPlace(lastOf(gap.left)), placeOf(items.at(gap.right).first)};
  auto placesOf = [&](Ref ref) {
    auto originLeft = items.at(ref).originLeft, originRight = items.at(ref).originRight;
    return GapPlaces{leftPlace(originLeft), placeOf(originRight)};
  };
  auto comesFirst = [&](Ref ref) { return precedes(graph, event, items.at(ref).first); };
  return placeInGap(items, gap.left, gap.right, own, placesOf, comesFirst);
}

TextTracker::Taken TextTracker::eraseFirst(TextLog::Piece& piece) {
  bool backwards = piece.kind == TextLog::Kind::BACKSPACE;
  auto many = piece.events.size();
  if (piece.at >= preparedLength()) {
    if (!backwards) return {{}, many};
    auto idle = kj::min(many, piece.at - preparedLength() + 1);
    piece.at -= idle;
    return {{}, idle};
  }
  auto found = items.find(&Item::Sums::prepared, piece.at);
  auto length = items.at(found.ref).count;
  // The end of the text is never deleted.
  auto there =
      backwards ? found.offset + 1 : kj::min(length - found.offset, preparedLength() - piece.at);
  auto count = kj::min(many, there);
  auto offset = backwards ? found.offset + 1 - count : found.offset;
  auto ref = isolate(found.ref, offset, count);
  Event first = items.at(ref).first;
  bool wasDeleted = items.at(ref).deleted;
  auto at = items.before(ref).effective;
  items.update(ref, [](Item& item) {
    ++item.presence;
    item.deleted = true;
  });
  deletions.emplace(
      piece.events.begin, Deletion{count, backwards ? first + count - 1 : first, backwards});
  if (backwards) piece.at -= kj::min(piece.at, count);
  if (wasDeleted) return {{}, count};
  EventRange events{piece.events.begin, piece.events.begin + count};
  return {{TextLog::Kind::DELETE, events, at, {}}, count};
}

// Each event counts for itself, so their order does not matter.
void TextTracker::shift(EventRange events, int32_t step) {
  log.eachIn(events, [&](const TextLog::Piece& piece) {
    if (piece.kind == TextLog::Kind::INSERT) {
      shiftItems(piece.events.begin, piece.events.size(), step);
      return;
    }
    auto known = deletions.upper_bound(piece.events.begin);
    if (known != deletions.begin()) --known;
    for (; known != deletions.end() && known->first < piece.events.end; ++known) {
      auto& [event, deletion] = *known;
      auto begin = kj::max(event, piece.events.begin);
      auto end = kj::min(event + deletion.count, piece.events.end);
      if (begin >= end) continue;
      auto first = deletion.backwards ? deletion.first - (end - 1 - event)
                                      : deletion.first + (begin - event);
      shiftItems(first, end - begin, step);
    }
  });
}

void TextTracker::shiftItems(Event first, uint32_t count, int32_t step) {
  while (count > 0) {
    auto ref = holderOf(first);
    auto offset = first - items.at(ref).first;
    auto here = kj::min(count, items.at(ref).count - offset);
    items.update(isolate(ref, offset, here), [step](Item& item) { item.presence += step; });
    first += here;
    count -= here;
  }
}

TextTracker::Ref TextTracker::add(Ref after, Item item) {
  auto ref = items.insertAfter(after, item);
  holders.emplace(item.first, ref);
  return ref;
}

// The item from `offset` on, cut off from what is before.
TextTracker::Ref TextTracker::cut(Ref ref, uint32_t offset) {
  if (offset == 0) return ref;
  Item rest = items.at(ref);
  rest.first += offset;
  rest.count -= offset;
  rest.originLeft = rest.first - 1;
  items.update(ref, [offset](Item& item) { item.count = offset; });
  return add(ref, rest);
}

TextTracker::Ref TextTracker::isolate(Ref ref, uint32_t offset, uint32_t count) {
  ref = cut(ref, offset);
  if (count < items.at(ref).count) cut(ref, count);
  return ref;
}

TextTracker::Ref TextTracker::holderOf(Event event) const {
  auto after = holders.upper_bound(event);
  KJ_ASSERT(after != holders.begin(), "an event that was never applied here");
  return std::prev(after)->second;
}

uint32_t TextTracker::placeOf(Event event) {
  auto ref = holderOf(event);
  return items.before(ref).all + (event - items.at(ref).first);
}

std::vector<EventRange> TextTracker::visible() const {
  std::vector<EventRange> found;
  for (auto ref = items.first(); ref != Items::NONE; ref = items.next(ref)) {
    auto& item = items.at(ref);
    if (item.deleted || item.first >= BEFORE) continue;
    if (!found.empty() && found.back().end == item.first) {
      found.back().end = item.end();
    } else {
      found.push_back({item.first, item.end()});
    }
  }
  return found;
}

}  // namespace hearth::storage

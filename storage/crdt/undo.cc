#include "storage/crdt/undo.h"

#include "storage/crdt/differences.h"

#include <map>
#include <set>

namespace hearth::storage {

namespace {

class Undoing {
 public:
  Undoing(Document& document, EventRange events)
      : document(document),
        events(events),
        author(document.graph().nameOf(events.begin).author),
        before(document.at(document.graph().parentsOf(events.begin))),
        after(document.at({events.end - 1})),
        draft(document) {}

  std::vector<Op> ops() {
    auto all = document.opsIn(events);
    for (auto at = all.rbegin(); at != all.rend(); ++at) {
      if (document.find(at->second.object) != nullptr) undo(at->first, at->second);
    }
    for (auto text: texts) undoEdits(text);
    return draft.ops();
  }

 private:
  Document& document;
  EventRange events;
  DeviceId author;
  Document before, after;
  Draft draft;
  std::set<Event> texts;
  std::set<std::pair<Event, std::string>> keys;  // of maps, that are settled
  std::set<std::pair<Event, Event>> values,
      standing;  // of lists and their elements, that are settled

  // What comes later from the same hand takes back what was done later.
  bool isOwn(Event event) const {
    return event >= events.begin && document.graph().nameOf(event).author == author;
  }

  // An event of this document in the one before or after.
  kj::Maybe<Event> eventIn(const Document& other, Event event) const {
    if (event == Op::ROOT) return event;
    return other.graph().find(document.graph().nameOf(event));
  }

  template <typename T>
  kj::Maybe<T&> beforeOf(Event container) {
    auto there = eventIn(before, container);
    KJ_IF_MAYBE(event, there) {
      if (before.find(*event) != nullptr) return std::get<T>(before.object(*event).state);
    }
    return nullptr;
  }

  void undo(Event event, const Op& op) {
    switch (op.kind) {
      case Op::Kind::PUT:
      case Op::Kind::REMOVE:
        if (keys.emplace(op.object, op.key).second) undoKey(op);
        return;
      case Op::Kind::ADD:
        draft.say({.kind = Op::Kind::ADD, .object = op.object, .value = negated(op.value)});
        return;
      case Op::Kind::INCLUDE:
      case Op::Kind::EXCLUDE:
        return undoMember(op);
      case Op::Kind::INSERT:
        draft.say({.kind = Op::Kind::HIDE, .object = op.object, .element = event});
        return;
      case Op::Kind::MOVE:
        if (standing.emplace(op.object, op.element).second) undoMove(op);
        return;
      case Op::Kind::SET:
        if (values.emplace(op.object, op.element).second) undoSet(op);
        return;
      case Op::Kind::HIDE:
      case Op::Kind::SHOW:
        draft.say({.kind = op.kind == Op::Kind::HIDE ? Op::Kind::SHOW : Op::Kind::HIDE,
            .object = op.object,
            .element = op.element});
        return;
      case Op::Kind::TYPE:
      case Op::Kind::ERASE:
      case Op::Kind::BACKSPACE:
        texts.insert(op.object);
        return;
    }
  }

  static Value negated(const Value& value) {
    return static_cast<int64_t>(-static_cast<uint64_t>(std::get<int64_t>(value)));
  }

  void undoKey(const Op& op) {
    auto place = std::get<Map>(document.object(op.object).state).find(op.key);
    bool isThere = place != nullptr && !place->isEmpty();
    if (isThere && !isOwn(place->shown().event)) return;  // somebody has replaced it
    const Place* was = nullptr;
    auto map = beforeOf<Map>(op.object);
    KJ_IF_MAYBE(there, map) was = there->find(op.key);
    if (was == nullptr || was->isEmpty()) {
      if (isThere) draft.say({.kind = Op::Kind::REMOVE, .object = op.object, .key = op.key});
    } else {
      draft.put(op.object, op.key, treeOf(before, *was));
    }
  }

  void undoMember(const Op& op) {
    auto set = beforeOf<Set>(op.object);
    bool was = false;
    KJ_IF_MAYBE(there, set) was = there->holds(op.value);
    if (std::get<Set>(document.object(op.object).state).holds(op.value) == was) return;
    draft.say({.kind = was ? Op::Kind::INCLUDE : Op::Kind::EXCLUDE,
        .object = op.object,
        .value = op.value});
  }

  void undoMove(const Op& op) {
    auto& list = std::get<List>(document.object(op.object).state);
    auto now = list.find(op.element);
    if (now == nullptr || !isOwn(now->place)) return;
    auto was = beforeOf<List>(op.object);
    KJ_IF_MAYBE(there, was) {
      auto element = eventIn(before, op.element);
      KJ_IF_MAYBE(known, element) {
        auto place = here(before, there->find(*known)->place);
        auto where = list.behind(place);
        draft.say({.kind = Op::Kind::MOVE,
            .object = op.object,
            .element = op.element,
            .left = where.left,
            .right = where.right});
      }
    }
  }

  void undoSet(const Op& op) {
    auto now = std::get<List>(document.object(op.object).state).find(op.element);
    if (now == nullptr || now->value.isEmpty() || !isOwn(now->value.shown().event)) return;
    auto was = beforeOf<List>(op.object);
    KJ_IF_MAYBE(there, was) {
      auto element = eventIn(before, op.element);
      KJ_IF_MAYBE(known, element)
        draft.setElement(op.object, op.element, treeOf(before, there->find(*known)->value));
    }
  }

  // An event of another one of the documents, in this one.
  Event here(const Document& other, Event event) const {
    if (event == Op::ROOT) return event;
    return KJ_ASSERT_NONNULL(document.graph().find(other.graph().nameOf(event)));
  }

  // A text as code points, each with the event that typed it.
  struct Points {
    std::vector<Event> typedBy;
    std::string content;
    std::vector<size_t> begins;

    std::string_view at(size_t i, size_t count = 1) const {
      auto end = i + count < begins.size() ? begins[i + count] : content.size();
      return std::string_view(content).substr(begins[i], end - begins[i]);
    }
  };
  Points pointsOf(Document& of, kj::Maybe<Event> text) {
    Points points;
    KJ_IF_MAYBE(event, text) {
      if (of.find(*event) == nullptr) return points;
      auto& found = std::get<Text>(of.object(*event).state);
      for (auto& range: found.authorship(of.graph())) {
        for (auto typed = range.begin; typed < range.end; ++typed)
          points.typedBy.push_back(here(of, typed));
      }
      points.content = found.text();
      for (size_t i = 0; i < points.content.size(); ++i)
        if ((static_cast<uint8_t>(points.content[i]) & 0xc0) != 0x80) points.begins.push_back(i);
    }
    return points;
  }

  // Where the code points of an older text stand now. What was deleted since by the same hand and typed
  // again, when that was taken back, stands for itself.
  static constexpr size_t GONE = ~size_t{0};
  std::vector<size_t> placesNow(const Points& then, const Points& now) const {
    std::map<Event, size_t> stands;
    for (size_t i = 0; i < now.typedBy.size(); ++i) stands[now.typedBy[i]] = i;
    std::vector<size_t> found(then.typedBy.size(), GONE);
    for (size_t i = 0; i < found.size(); ++i)
      if (auto there = stands.find(then.typedBy[i]); there != stands.end())
        found[i] = there->second;
    size_t from = 0;  // in the text now: behind what has been found so far
    for (size_t i = 0; i < found.size(); ++i) {
      if (found[i] != GONE) {
        from = found[i] + 1;
        continue;
      }
      auto end = i;
      while (end < found.size() && found[end] == GONE) ++end;
      auto to = end < found.size() ? found[end] : now.typedBy.size();
      matchTypedAgain(then, i, end, now, from, to, found);
      i = end - 1;
    }
    return found;
  }
  void matchTypedAgain(const Points& then, size_t begin, size_t end, const Points& now, size_t from,
      size_t to, std::vector<size_t>& found) const {
    std::vector<size_t> again;  // that could be it
    for (auto i = from; i < to; ++i)
      if (now.typedBy[i] >= events.end && isOwn(now.typedBy[i])) again.push_back(i);
    auto changes = differences(end - begin, again.size(),
        [&](size_t i, size_t j) { return then.at(begin + i) == now.at(again[j]); });
    size_t i = 0, j = 0;
    auto match = [&](size_t upto) {
      for (; i < upto; ++i, ++j) found[begin + i] = again[j];
    };
    for (auto& change: changes) {
      match(change.at);
      i += change.erased;
      j += change.inserted;
    }
    match(end - begin);
  }

  // What was typed goes, what was deleted comes back behind what stood in front of it.
  void undoEdits(Event text) {
    auto had = pointsOf(before, eventIn(before, text)),
         left = pointsOf(after, eventIn(after, text));
    auto now = pointsOf(document, text);
    auto hadAt = placesNow(had, now), leftAt = placesNow(left, now);
    std::set<Event> wasThere(had.typedBy.begin(), had.typedBy.end());
    std::set<Event> stayed(left.typedBy.begin(), left.typedBy.end());
    std::vector<bool> goes(now.typedBy.size() + 1, false);
    for (size_t i = 0; i < leftAt.size(); ++i)
      if (leftAt[i] != GONE && !wasThere.contains(left.typedBy[i])) goes[leftAt[i]] = true;
    std::map<size_t, std::string> back;  // by the place in front of which it comes
    size_t place = 0;
    for (size_t i = 0; i < hadAt.size(); ++i) {
      if (stayed.contains(had.typedBy[i])) {
        if (hadAt[i] != GONE) place = hadAt[i] + 1;
      } else {
        back[place] += had.at(i);
      }
    }

    // From the last on, so that what is in front stays where it is.
    for (auto i = now.typedBy.size() + 1; i-- > 0;) {
      if (goes[i])
        draft.say({.kind = Op::Kind::ERASE, .object = text, .at = static_cast<uint32_t>(i)});
      if (auto typed = back.find(i); typed != back.end()) {
        draft.say({.kind = Op::Kind::TYPE,
            .object = text,
            .at = static_cast<uint32_t>(i),
            .count = codePoints(typed->second),
            .content = typed->second});
      }
    }
  }
};

}  // namespace

std::vector<Op> opsToUndo(Document& document, EventRange events) {
  if (events.size() == 0) return {};
  return Undoing(document, events).ops();
}

}  // namespace hearth::storage

#include "storage/crdt/undo.h"

#include "storage/crdt/beside.h"
#include "storage/crdt/differences.h"
#include "storage/crdt/stand-in.h"

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
        seen(document.graph().parentsOf(events.begin)),
        without(versionBeside(document.graph(), events.begin)),
        since(document, events.begin, without),
        beside(document.at(without)),
        after(document.at({events.end - 1})),
        draft(document) {}

  std::vector<Op> ops() {
    auto all = document.opsIn(events);
    for (auto at = all.rbegin(); at != all.rend(); ++at) {
      if (document.find(at->second.object) != nullptr) undo(at->first, at->second);
    }
    for (auto text: texts) undoEdits(text);
    undoInStandIns(all);
    return draft.ops();
  }

 private:
  Document& document;
  EventRange events;
  DeviceId author;
  Version seen;  // by the author, before
  Version without;
  WrittenSince since;  // of what others have made something else it is left
  Document
      beside;  // as it would be without these events, with what others did who had not seen them
  Document after;  // as their author saw it when they were done
  Draft draft;
  std::set<Event> texts;
  std::set<std::pair<Event, std::string>> keys;  // of maps, that are settled
  std::set<std::pair<Event, Event>> values, standing,
      shown;  // of lists and elements, that are settled

  // What comes later from the same hand takes back what was done later.
  bool isOwn(Event event) const {
    return event >= events.begin && document.graph().nameOf(event).author == author;
  }

  // An event of this document in one of the others.
  kj::Maybe<Event> eventIn(const Document& other, Event event) const {
    if (event == Op::ROOT) return event;
    return other.graph().find(document.graph().nameOf(event));
  }

  template <typename T>
  kj::Maybe<T&> besideOf(Event container) {
    auto there = eventIn(beside, container);
    KJ_IF_MAYBE(event, there) {
      if (beside.find(*event) != nullptr) return std::get<T>(beside.object(*event).state);
    }
    return nullptr;
  }
  const List::Element* elementBeside(Event container, Event element) {
    auto list = besideOf<List>(container);
    KJ_IF_MAYBE(there, list) {
      auto event = eventIn(beside, element);
      KJ_IF_MAYBE(known, event) return there->find(*known);
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
        return undoInsert(op.object, event);
      case Op::Kind::MOVE:
        if (standing.emplace(op.object, op.element).second) undoMove(op);
        return;
      case Op::Kind::SET:
        if (values.emplace(op.object, op.element).second) undoSet(op);
        return;
      case Op::Kind::HIDE:
      case Op::Kind::SHOW:
        if (shown.emplace(op.object, op.element).second) undoShown(op);
        return;
      case Op::Kind::TYPE:
      case Op::Kind::ERASE:
      case Op::Kind::BACKSPACE:
        texts.insert(op.object);
        return;
    }
  }

  // Where a new container stands for one that was replaced, it becomes what has become of that one.
  void undoInStandIns(const std::vector<std::pair<Event, Op>>& done) {
    std::set<Event> asked;
    std::vector<StandIn> standIns;
    for (auto& [event, op]: done) {
      if (!asked.insert(op.object).second) continue;
      auto found = standInFor(
          document, op.object, [&](Event now) { return now >= events.end && isOwn(now); });
      KJ_IF_MAYBE(standIn, found) {
        bool isSettled = standIn->element == Op::ROOT
            ? keys.contains({standIn->container, standIn->key})
            : values.contains({standIn->container, standIn->element});
        bool isAlike = treeOf(document, standIn->was) == treeOf(document, standIn->now);
        bool isKnown = std::ranges::find(standIns, *standIn) != standIns.end();
        if (isAlike && !isSettled && !isKnown) standIns.push_back(*standIn);
      }
    }
    if (standIns.empty()) return;
    auto undone = document.at(document.graph().version());
    auto committed = undone.commit(author, draft.ops(), 0);
    KJ_ASSERT(committed.has_value(), "what undoes operations is refused");
    for (auto& standIn: standIns) {
      auto was = eventIn(undone, standIn.was);
      auto tree = treeOf(undone, KJ_ASSERT_NONNULL(was));
      if (tree == treeOf(document, standIn.now)) continue;
      if (standIn.element == Op::ROOT) {
        draft.replace(standIn.container, standIn.key, tree);
      } else {
        draft.replaceElement(standIn.container, standIn.element, tree);
      }
    }
  }

  static Value negated(const Value& value) {
    return static_cast<int64_t>(-static_cast<uint64_t>(std::get<int64_t>(value)));
  }

  // Whether here is shown what is shown there.
  bool isSame(const Place& now, const Place& other) const {
    return now.shown().event == here(beside, other.shown().event);
  }

  void undoKey(const Op& op) {
    if (since.hasKey(op.object, op.key)) return;
    auto place = std::get<Map>(document.object(op.object).state).find(op.key);
    bool isThere = place != nullptr && !place->isEmpty();
    const Place* other = nullptr;
    auto map = besideOf<Map>(op.object);
    KJ_IF_MAYBE(there, map) other = there->find(op.key);
    if (other == nullptr || other->isEmpty()) {
      if (isThere) draft.say({.kind = Op::Kind::REMOVE, .object = op.object, .key = op.key});
    } else if (!isThere || !isSame(*place, *other)) {
      draft.replace(op.object, op.key, treeOf(beside, *other));
    }
  }

  void undoMember(const Op& op) {
    if (since.hasMember(op.object, op.value)) return;
    auto set = besideOf<Set>(op.object);
    bool other = false;
    KJ_IF_MAYBE(there, set) other = there->holds(op.value);
    if (std::get<Set>(document.object(op.object).state).holds(op.value) == other) return;
    draft.say({.kind = other ? Op::Kind::INCLUDE : Op::Kind::EXCLUDE,
        .object = op.object,
        .value = op.value});
  }

  void undoInsert(Event container, Event element) {
    auto& list = std::get<List>(document.object(container).state);
    if (!list.find(element)->hidden)
      draft.say({.kind = Op::Kind::HIDE, .object = container, .element = element});
  }

  void undoShown(const Op& op) {
    if (since.hasShown(op.object, op.element)) return;
    auto now = std::get<List>(document.object(op.object).state).find(op.element);
    auto other = elementBeside(op.object, op.element);
    if (other == nullptr || other->hidden == now->hidden) return;
    draft.say({.kind = other->hidden ? Op::Kind::HIDE : Op::Kind::SHOW,
        .object = op.object,
        .element = op.element});
  }

  void undoMove(const Op& op) {
    if (since.hasPlaceOf(op.object, op.element)) return;
    auto& list = std::get<List>(document.object(op.object).state);
    auto other = elementBeside(op.object, op.element);
    if (other == nullptr) return;
    auto place = here(beside, other->place);
    if (list.find(op.element)->place == place) return;
    auto where = list.behind(place);
    draft.say({.kind = Op::Kind::MOVE,
        .object = op.object,
        .element = op.element,
        .left = where.left,
        .right = where.right});
  }

  void undoSet(const Op& op) {
    if (since.hasValueOf(op.object, op.element)) return;
    auto now = std::get<List>(document.object(op.object).state).find(op.element);
    auto other = elementBeside(op.object, op.element);
    if (other == nullptr || isSame(now->value, other->value)) return;
    draft.replaceElement(op.object, op.element, treeOf(beside, other->value));
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

  // What was typed goes, what was deleted comes back behind what stood in front of it. What somebody else has
  // deleted as well stays away.
  void undoEdits(Event text) {
    auto had = pointsOf(beside, eventIn(beside, text)),
         left = pointsOf(after, eventIn(after, text));
    auto now = pointsOf(document, text);
    auto hadAt = placesNow(had, now), leftAt = placesNow(left, now);
    std::set<Event> stayed(left.typedBy.begin(), left.typedBy.end());
    std::vector<bool> goes(now.typedBy.size() + 1, false);
    for (size_t i = 0; i < leftAt.size(); ++i) {
      bool isTyped = left.typedBy[i] >= events.begin && left.typedBy[i] < events.end;
      if (leftAt[i] != GONE && isTyped) goes[leftAt[i]] = true;
    }
    std::map<size_t, std::string> back;  // by the place in front of which it comes
    size_t place = 0;
    for (size_t i = 0; i < hadAt.size(); ++i) {
      auto typed = had.typedBy[i];
      if (document.graph().holds(seen, typed) && !stayed.contains(typed)) {
        back[place] += had.at(i);
      } else if (hadAt[i] != GONE) {
        place = hadAt[i] + 1;
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

#include "storage/crdt/document.h"

#include "storage/crdt/admission.h"

namespace hearth::storage {

Document::Document() { objects.emplace(Op::ROOT, Object{Map(), 0}); }

const Document::Object* Document::find(Event event) const {
  auto found = objects.find(event);
  return found == objects.end() ? nullptr : &found->second;
}

Result<EventRange> Document::commit(
    const DeviceId& author, const std::vector<Op>& asked, int64_t nowMs) {
  if (asked.empty()) return EventRange{graph_.size(), graph_.size()};
  std::vector<Op> ops;
  for (auto& op: asked) appendWithinLimits(ops, op);
  auto parents = graph_.version();
  Admission admission(*this, graph_.size(), parents);
  std::map<Event, uint32_t> lengths;
  uint32_t count = 0;
  for (auto& op: ops) {
    if (auto admitted = admission.admit(op); !admitted) return no(admitted.error());
    if (op.isOfText() && !isWithin(op, lengths))
      return no(Errc::BAD_FORMAT, "an edit beyond the end of the text");
    count += op.events();
  }
  auto index = graph_.indexOf(author);
  if (!index) return no(index.error());
  auto events = graph_.append(*index, count, kj::mv(parents));
  if (!events) return events;
  noteTime(events->begin, nowMs);
  auto event = events->begin;
  for (auto& op: ops) {
    take(event, op, true);
    event += op.events();
  }
  return events;
}

// `isNewest`: its author saw the document as it is. The text of any other edit is merged afterwards.
void Document::take(Event event, const Op& op, bool isNewest) {
  if (op.isOfText()) {
    editText({event, event + op.events()}, op, isNewest);
  } else {
    log.add(event, op);
    apply(event, op);
  }
}

// Whether an edit fits the text as it is after the edits before it. `lengths`: of the texts they change.
bool Document::isWithin(const Op& op, std::map<Event, uint32_t>& lengths) const {
  auto known = find(op.object);
  auto [entry, isNew] = lengths.try_emplace(op.object, 0);
  if (isNew && known != nullptr) entry->second = std::get<Text>(known->state).length();
  auto& length = entry->second;
  if (op.kind == Op::Kind::TYPE) {
    if (op.at > length || codePoints(op.content) != op.count) return false;
    length += op.count;
    return true;
  }
  bool back = op.kind == Op::Kind::BACKSPACE;
  bool fits = op.at < length && op.count <= (back ? op.at + 1 : length - op.at);
  length -= fits ? op.count : 0;
  return fits && op.count > 0;
}

// Times of a run are told at its beginning and then when a minute has gone by.
void Document::noteTime(Event event, int64_t ms) {
  bool follows = event > 0 && graph_.parentsOf(event) == Version{event - 1} && !times.empty();
  if (follows && ms - times.back().ms < TIME_STEP_MS && ms >= times.back().ms) return;
  times.push_back({event, ms});
}

int64_t Document::timeMsOf(Event event) const {
  auto after = std::ranges::upper_bound(times, event, {}, &Time::event);
  return after == times.begin() ? 0 : (after - 1)->ms;
}

std::vector<Document::Change> Document::changes() const {
  std::vector<Change> found;
  for (auto& run: graph_.runs()) {
    auto author = graph_.nameOf(run.events.begin).author;
    auto next = std::ranges::upper_bound(times, run.events.begin, {}, &Time::event);
    for (auto begin = run.events.begin; begin < run.events.end;) {
      auto end = next != times.end() ? kj::min(next->event, run.events.end) : run.events.end;
      if (end > begin) found.push_back({{begin, end}, author, timeMsOf(begin)});
      begin = end;
      if (next != times.end()) ++next;
    }
  }
  return found;
}

void Document::editText(EventRange events, const Op& op, bool isNewest) {
  if (turns.empty() || turns.back().text != op.object) turns.push_back({events.begin, op.object});
  auto& text = std::get<Text>(object(op.object).state);
  auto& edits = text.edits();
  if (op.kind == Op::Kind::TYPE) {
    isNewest ? text.insert(events, op.at, op.content) : edits.insert(events, op.at, op.content);
  } else if (op.kind == Op::Kind::ERASE) {
    isNewest ? text.erase(events, op.at) : edits.erase(events, op.at);
  } else {
    isNewest ? text.backspace(events, op.at) : edits.backspace(events, op.at);
  }
}

// Makes the container that an operation puts somewhere.
void Document::make(Event event, const Op& op) {
  auto depth = static_cast<uint8_t>(object(op.object).depth + 1);
  auto emptyOf = [](Container kind) -> decltype(Object::state) {
    switch (kind) {
      case Container::MAP:
        return Map();
      case Container::LIST:
        return List();
      case Container::TEXT:
        return Text();
      case Container::COUNTER:
        return Counter();
      case Container::SET:
        return Set();
    }
    KJ_UNREACHABLE;
  };
  objects.emplace(event, Object{emptyOf(std::get<Container>(op.value)), depth});
}

void Document::apply(Event event, const Op& op) {
  if (op.makesContainer()) make(event, op);
  auto& state = object(op.object).state;
  switch (op.kind) {
    case Op::Kind::PUT:
      return std::get<Map>(state).put(graph_, op.key, event, op.value);
    case Op::Kind::REMOVE:
      return std::get<Map>(state).remove(graph_, op.key, event);
    case Op::Kind::ADD:
      return std::get<Counter>(state).add(std::get<int64_t>(op.value));
    case Op::Kind::INCLUDE:
      return std::get<Set>(state).include(graph_, op.value, event);
    case Op::Kind::EXCLUDE:
      return std::get<Set>(state).exclude(graph_, op.value, event);
    case Op::Kind::INSERT:
      return std::get<List>(state).insert(graph_, event, {op.left, op.right}, op.value);
    case Op::Kind::MOVE:
      return std::get<List>(state).move(graph_, event, op.element, {op.left, op.right});
    case Op::Kind::SET:
      return std::get<List>(state).set(graph_, event, op.element, op.value);
    case Op::Kind::HIDE:
    case Op::Kind::SHOW:
      return std::get<List>(state).show(graph_, event, op.element, op.kind == Op::Kind::SHOW);
    case Op::Kind::TYPE:
    case Op::Kind::ERASE:
    case Op::Kind::BACKSPACE:
      KJ_UNREACHABLE;
  }
}

}  // namespace hearth::storage

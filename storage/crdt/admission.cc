#include "storage/crdt/admission.h"

namespace hearth::storage {

namespace {

Container containerOf(Op::Kind kind) {
  switch (kind) {
    case Op::Kind::PUT:
    case Op::Kind::REMOVE:
      return Container::MAP;
    case Op::Kind::ADD:
      return Container::COUNTER;
    case Op::Kind::INCLUDE:
    case Op::Kind::EXCLUDE:
      return Container::SET;
    case Op::Kind::INSERT:
    case Op::Kind::MOVE:
    case Op::Kind::SET:
    case Op::Kind::HIDE:
    case Op::Kind::SHOW:
      return Container::LIST;
    case Op::Kind::TYPE:
    case Op::Kind::ERASE:
    case Op::Kind::BACKSPACE:
      return Container::TEXT;
  }
  KJ_UNREACHABLE;
}

}  // namespace

Admission::Admission(const Document& document, Event first, const Version& parents)
    : document(document),
      parents(parents),
      first(first),
      next(first) {}

bool Admission::isSeen(Event event) const {
  return event >= first ? event < next : document.graph().holds(parents, event);
}

kj::Maybe<Admission::Made> Admission::containerAt(Event event) const {
  if (event == Op::ROOT) return Made{Container::MAP, 0};
  if (auto fresh = made.find(event); fresh != made.end()) return fresh->second;
  auto known = document.find(event);
  if (known == nullptr || !isSeen(event)) return nullptr;
  return Made{known->kind(), known->depth};
}

bool Admission::hasPlace(Event list, Event place) const {
  if (place == Op::ROOT) return true;
  if (auto fresh = places.find(list); fresh != places.end() && fresh->second.contains(place))
    return true;
  auto known = document.find(list);
  return known != nullptr && std::get<List>(known->state).hasPlace(place) && isSeen(place);
}

bool Admission::hasElement(Event list, Event element) const {
  if (auto fresh = elements.find(list); fresh != elements.end() && fresh->second.contains(element))
    return true;
  auto known = document.find(list);
  return known != nullptr && std::get<List>(known->state).find(element) != nullptr &&
      isSeen(element);
}

Result<void> Admission::admit(const Op& op) {
  auto object = containerAt(op.object);
  KJ_IF_MAYBE(known, object) {
    if (known->kind != containerOf(op.kind))
      return no(Errc::BAD_FORMAT, "an operation on a container of another kind");
    if (auto fit = fits(op, *known); !fit) return fit;
  } else {
    return no(Errc::BAD_FORMAT, "an operation on a container that its author has not seen");
  }
  if (op.hasBetween()) places[op.object].insert(next);
  if (op.kind == Op::Kind::INSERT) elements[op.object].insert(next);
  next += op.events();
  return {};
}

Result<void> Admission::fits(const Op& op, const Made& object) {
  if (op.key.size() > Op::KEY_BYTES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a key of more than 1 KiB");
  if (op.isOfText() && op.count > op.pointsMax())
    return no(Errc::LIMIT_EXCEEDED, "an edit of more code points than one operation may have");
  if (op.kind == Op::Kind::ADD && !std::holds_alternative<int64_t>(op.value))
    return no(Errc::BAD_FORMAT, "a counter takes whole numbers");
  bool ofSet = op.kind == Op::Kind::INCLUDE || op.kind == Op::Kind::EXCLUDE;
  if (ofSet && std::holds_alternative<Container>(op.value))
    return no(Errc::BAD_FORMAT, "a set takes plain values");
  if (op.hasElement() && !hasElement(op.object, op.element))
    return no(Errc::BAD_FORMAT, "an element that its author has not seen");
  bool knowsPlaces =
      !op.hasBetween() || (hasPlace(op.object, op.left) && hasPlace(op.object, op.right));
  if (!knowsPlaces) return no(Errc::BAD_FORMAT, "a place that its author has not seen");
  if (op.makesContainer()) {
    if (object.depth >= Document::DEPTH_MAX)
      return no(Errc::LIMIT_EXCEEDED, "more than 64 containers in one another");
    made[next] = {std::get<Container>(op.value), static_cast<uint8_t>(object.depth + 1)};
  }
  return {};
}

}  // namespace hearth::storage

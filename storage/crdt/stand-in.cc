#include "storage/crdt/stand-in.h"

namespace hearth::storage {

namespace {

// Where a container was put, from the document on.
struct Put {
  Event made;
  Op op;

  Event element() const { return op.kind == Op::Kind::INSERT ? made : op.element; }
};

std::vector<Put> wayTo(const Document& document, Event container) {
  std::vector<Put> way;
  while (container != Op::ROOT) {
    auto made = document.opsIn({container, container + 1});
    way.push_back({container, made.at(0).second});
    container = way.back().op.object;
  }
  return {way.rbegin(), way.rend()};
}

const Place* placeOf(const Document& document, const Put& put) {
  auto& state =
      KJ_ASSERT_NONNULL(kj::Maybe<const Document::Object&>(document.find(put.op.object))).state;
  if (auto map = std::get_if<Map>(&state)) return map->find(put.op.key);
  auto element = std::get<List>(state).find(put.element());
  return element == nullptr ? nullptr : &element->value;
}

}  // namespace

kj::Maybe<StandIn> standInFor(
    const Document& document, Event container, kj::FunctionParam<bool(Event)> mayStandIn) {
  for (auto& put: wayTo(document, container)) {
    auto place = placeOf(document, put);
    if (place == nullptr || place->isEmpty()) return nullptr;
    auto now = place->shown().event;
    if (now == put.made) continue;
    bool isAlike = std::holds_alternative<Container>(place->shown().value) &&
        place->shown().value == put.op.value;
    if (!isAlike || !mayStandIn(now)) return nullptr;
    bool inMap = put.op.hasKey();
    return StandIn{put.made, now, put.op.object, put.op.key, inMap ? Op::ROOT : put.element()};
  }
  return nullptr;
}

}  // namespace hearth::storage

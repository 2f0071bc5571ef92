#include "tests/storage/crdt/slow-document.h"

#include <algorithm>

namespace hearth::storage {

SlowDocument::Did SlowDocument::begin(int author, Op::Kind kind, Id object) const {
  Did did{.kind = kind, .object = object};
  did.id.author = author;
  for (auto& [id, other]: dids) {
    did.seen.insert(id);
    did.id.lamport = std::max(did.id.lamport, id.lamport);
    if (id.author == author) did.id.number = std::max(did.id.number, id.number + 1);
  }
  ++did.id.lamport;
  return did;
}

void SlowDocument::take(const Did& did) {
  if (!dids.emplace(did.id, did).second) return;
  bool inserts =
      did.kind == Op::Kind::TYPE || did.kind == Op::Kind::INSERT || did.kind == Op::Kind::MOVE;
  if (inserts) sequences[did.object].insert(did.made);
  if (did.kind == Op::Kind::ERASE) sequences[did.object].erase(did.gone);
  if (did.kind == Op::Kind::INSERT) places[did.object][did.made.id] = did.id;
  if (did.kind == Op::Kind::MOVE) places[did.object][did.made.id] = did.id;
}

std::vector<const SlowDocument::Did*> SlowDocument::of(Id object) const {
  std::vector<const Did*> found;
  for (auto& [id, did]: dids) {
    if (did.object == object) found.push_back(&did);
  }
  return found;
}

std::vector<const SlowDocument::Did*> SlowDocument::notReplaced(
    std::vector<const Did*> writes, const std::vector<const Did*>& by) const {
  std::erase_if(writes, [&](const Did* write) {
    return std::ranges::any_of(
        by, [&](const Did* other) { return other->seen.contains(write->id); });
  });
  std::ranges::sort(writes, {}, [](const Did* did) { return did->id; });
  return writes;
}

Tree SlowDocument::shown(const Did& write) const {
  if (auto container = std::get_if<Container>(&write.value)) return treeOf(write.id, *container);
  return std::visit(
      [](auto& content) -> Tree {
        if constexpr (std::is_same_v<decltype(content), const Container&>) {
          return {};
        } else {
          return {content};
        }
      },
      write.value);
}

Tree SlowDocument::treeOf(Id object, Container kind) const {
  switch (kind) {
    case Container::MAP:
      return mapOf(object);
    case Container::LIST:
      return listOf(object);
    case Container::SET:
      return setOf(object);
    case Container::TEXT: {
      std::string text;
      auto written = sequences.find(object);
      if (written != sequences.end()) {
        for (auto point: written->second.text()) text += static_cast<char>(point);
      }
      return {Tree::Written{text}};
    }
    case Container::COUNTER: {
      int64_t total = 0;
      for (auto did: of(object)) total += std::get<int64_t>(did->value);
      return {Tree::Counted{total}};
    }
  }
  KJ_UNREACHABLE;
}

Tree SlowDocument::mapOf(Id object) const {
  std::map<std::string, std::vector<const Did*>> puts, all;
  for (auto did: of(object)) {
    all[did->key].push_back(did);
    if (did->kind == Op::Kind::PUT) puts[did->key].push_back(did);
  }
  Tree::Map map;
  for (auto& [key, writes]: puts) {
    auto left = notReplaced(writes, all[key]);
    if (!left.empty()) map.emplace(key, shown(*left.back()));
  }
  return {std::move(map)};
}

Tree SlowDocument::setOf(Id object) const {
  Tree::Members members;
  std::map<int64_t, std::vector<const Did*>> includes, excludes;
  for (auto did: of(object)) {
    auto& of = did->kind == Op::Kind::INCLUDE ? includes : excludes;
    of[std::get<int64_t>(did->value)].push_back(did);
  }
  for (auto& [value, ones]: includes) {
    if (!notReplaced(ones, excludes[value]).empty()) members.values.push_back({value});
  }
  return {std::move(members)};
}

std::vector<SlowDocument::Id> SlowDocument::listed(Id list) const {
  std::map<Id, Id> latestPlace;  // of each element
  std::map<Id, const Did*> hiding;
  for (auto did: of(list)) {  // in the order of their ids: later ones win
    if (did->kind == Op::Kind::INSERT) latestPlace[did->id] = did->id;
    if (did->kind == Op::Kind::MOVE) latestPlace[did->element] = did->id;
    if (did->kind == Op::Kind::HIDE || did->kind == Op::Kind::SHOW) hiding[did->element] = did;
  }
  std::vector<Id> elements;
  auto known = sequences.find(list);
  if (known == sequences.end()) return elements;
  for (auto place: known->second.allPlaces()) {
    auto& made = dids.at(places.at(list).at(place));
    auto element = made.kind == Op::Kind::INSERT ? made.id : made.element;
    bool hidden = hiding.contains(element) && hiding[element]->kind == Op::Kind::HIDE;
    if (latestPlace[element] == made.id && !hidden) elements.push_back(element);
  }
  return elements;
}

Tree SlowDocument::listOf(Id object) const {
  std::map<Id, std::vector<const Did*>> writes;
  for (auto did: of(object)) {
    if (did->kind == Op::Kind::INSERT) writes[did->id].push_back(did);
    if (did->kind == Op::Kind::SET) writes[did->element].push_back(did);
  }
  Tree::List list;
  for (auto element: listed(object))
    list.push_back(shown(*notReplaced(writes[element], writes[element]).back()));
  return {std::move(list)};
}

}  // namespace hearth::storage

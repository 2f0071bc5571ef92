#include "tests/storage/crdt/slow-document.h"

#include <algorithm>
#include <bit>

namespace hearth::storage {

namespace {

// In UTF-8.
void append(std::string& text, char32_t point) {
  auto add = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (point < 0x80) {
    add(point);
  } else if (point < 0x800) {
    add(0xc0 | (point >> 6)), add(0x80 | (point & 0x3f));
  } else if (point < 0x1'0000) {
    add(0xe0 | (point >> 12)), add(0x80 | ((point >> 6) & 0x3f)), add(0x80 | (point & 0x3f));
  } else {
    add(0xf0 | (point >> 18)), add(0x80 | ((point >> 12) & 0x3f));
    add(0x80 | ((point >> 6) & 0x3f)), add(0x80 | (point & 0x3f));
  }
}

}  // namespace

size_t SlowHistory::add(Did did) {
  indexes.emplace(did.id, dids.size());
  dids.push_back(std::move(did));
  return dids.size() - 1;
}

SlowDocument::Did SlowDocument::begin(int author, Op::Kind kind, Id object) const {
  Did did{.id = {author, 0}, .lamport = 0, .seen = known, .kind = kind, .object = object};
  for (size_t i = 0; i < known.size(); ++i) {
    if (!known[i]) continue;
    auto& other = history->at(i);
    did.lamport = std::max(did.lamport, other.lamport);
    if (other.id.author == author) did.id.number = std::max(did.id.number, other.id.number + 1);
  }
  ++did.lamport;
  return did;
}

void SlowDocument::take(size_t index) {
  if (has(index)) return;
  if (known.size() <= index) known.resize(index + 1);
  known[index] = true;
  auto& did = history->at(index);
  bool inserts =
      did.kind == Op::Kind::TYPE || did.kind == Op::Kind::INSERT || did.kind == Op::Kind::MOVE;
  bool erases = did.kind == Op::Kind::ERASE || did.kind == Op::Kind::BACKSPACE;
  if (inserts) sequences[did.object].insert(did.made);
  if (erases) sequences[did.object].erase(did.gone);
}

std::vector<const SlowDocument::Did*> SlowDocument::of(Id object) const {
  std::vector<const Did*> found;
  for (size_t i = 0; i < known.size(); ++i)
    if (known[i] && history->at(i).object == object) found.push_back(&history->at(i));
  std::ranges::sort(found, [](auto a, auto b) { return b->isLaterThan(*a); });
  return found;
}

// The latest is the last.
std::vector<const SlowDocument::Did*> SlowDocument::notReplaced(
    std::vector<const Did*> writes, const std::vector<const Did*>& by) const {
  std::erase_if(writes, [&](const Did* write) {
    auto index = history->indexOf(write->id);
    return std::ranges::any_of(by, [&](const Did* other) { return other->hasSeen(index); });
  });
  std::ranges::sort(writes, [](auto a, auto b) { return b->isLaterThan(*a); });
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
        for (auto point: written->second.text()) append(text, point);
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
  using Member = std::tuple<size_t, int64_t, std::string>;  // by type, then by value
  auto memberOf = [](const Value& value) -> Member {
    int64_t number = 0;
    std::string text;
    if (auto flag = std::get_if<bool>(&value)) number = *flag;
    if (auto whole = std::get_if<int64_t>(&value)) number = *whole;
    if (auto real = std::get_if<double>(&value)) number = std::bit_cast<int64_t>(*real);
    if (auto words = std::get_if<std::string>(&value)) text = *words;
    return {value.index(), number, text};
  };
  std::map<Member, std::vector<const Did*>> includes, excludes;
  for (auto did: of(object)) {
    auto& of = did->kind == Op::Kind::INCLUDE ? includes : excludes;
    of[memberOf(did->value)].push_back(did);
  }
  for (auto& [member, ones]: includes) {
    if (!notReplaced(ones, excludes[member]).empty()) members.values.push_back(shown(*ones[0]));
  }
  return {std::move(members)};
}

std::vector<SlowDocument::Id> SlowDocument::listed(Id list) const {
  std::map<Id, Id> latestPlace;  // of each element
  std::map<Id, const Did*> hiding;
  for (auto did: of(list)) {  // later ones win
    if (did->kind == Op::Kind::INSERT) latestPlace[did->id] = did->id;
    if (did->kind == Op::Kind::MOVE) latestPlace[did->element] = did->id;
    if (did->kind == Op::Kind::HIDE || did->kind == Op::Kind::SHOW) hiding[did->element] = did;
  }
  std::vector<Id> elements;
  auto places = sequences.find(list);
  if (places == sequences.end()) return elements;
  for (auto place: places->second.allPlaces()) {
    auto& made = history->at(history->indexOf(place));
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

#include "tests/storage/crdt/histories/editing.h"

#include "storage/crdt/rope.h"

#include <algorithm>

namespace hearth::storage {

namespace {

constexpr size_t CONTAINERS_ENOUGH = 14;  // after these hardly any are made

Value plainValue(Luck& luck) {
  switch (luck.below(6)) {
    case 0:
      return Nothing();
    case 1:
      return luck.below(2) == 0;
    case 2:
      return 0.5 * static_cast<double>(luck.below(5));
    case 3:
      return std::string("w") + std::to_string(luck.below(9));
    default:
      return static_cast<int64_t>(luck.below(100));
  }
}

Value member(Luck& luck) {
  if (luck.below(4) == 0) return std::string(1, static_cast<char>('a' + luck.below(2)));
  return static_cast<int64_t>(luck.below(3));
}

Tree someTree(Luck& luck, size_t depth = 0) {
  auto what = luck.below(depth < 2 ? 9 : 4);
  if (what == 4) return {Tree::Written{someWord(luck)}};
  if (what == 5) return {Tree::Counted{static_cast<int64_t>(luck.below(9)) - 4}};
  if (what == 6)
    return {Tree::Members{{{int64_t{0}}, {int64_t{1 + static_cast<int>(luck.below(2))}}}}};
  if (what == 7) {
    Tree::List list;
    for (auto n = luck.below(4); n > 0; --n) list.push_back(someTree(luck, depth + 1));
    return {std::move(list)};
  }
  if (what == 8) {
    Tree::Map map;
    for (auto n = luck.below(3); n > 0; --n)
      map[std::string(1, static_cast<char>('a' + luck.below(3)))] = someTree(luck, depth + 1);
    return {std::move(map)};
  }
  return std::visit(
      [](auto& content) -> Tree {
        if constexpr (std::is_same_v<decltype(content), const Container&>) {
          KJ_UNREACHABLE;
        } else {
          return {content};
        }
      },
      static_cast<const Value&>(plainValue(luck)));
}

// Makes operations of one transaction; none builds on another, but for the lengths of texts.
class Editor {
 public:
  Editor(Document& document, Luck& luck): document(document), luck(luck) {}

  Op some() {
    auto containers = containersOf(document);
    isFull = containers.size() > CONTAINERS_ENOUGH;
    // Often one of the oldest, so that several meet there.
    auto among = luck.below(2) == 0 ? std::min<size_t>(containers.size(), 4) : containers.size();
    auto event = containers[luck.below(among)];
    switch (document.find(event)->kind()) {
      case Container::MAP:
        return ofMap(event);
      case Container::LIST:
        return ofList(event);
      case Container::TEXT:
        return ofText(event);
      case Container::COUNTER:
        return {.kind = Op::Kind::ADD,
            .object = event,
            .value = static_cast<int64_t>(luck.below(9)) - 4};
      case Container::SET:
        return {.kind = luck.below(5) < 3 ? Op::Kind::INCLUDE : Op::Kind::EXCLUDE,
            .object = event,
            .value = member(luck)};
    }
    KJ_UNREACHABLE;
  }

 private:
  Document& document;
  Luck& luck;
  bool isFull = false;
  std::map<Event, uint32_t> lengths;

  Value someValue() {
    if (luck.below(isFull ? 12 : 3) == 0) return static_cast<Container>(luck.below(CONTAINERS));
    return plainValue(luck);
  }

  Op ofMap(Event map) {
    auto key = std::string(1, static_cast<char>('a' + luck.below(4)));
    if (luck.below(4) == 0) return {.kind = Op::Kind::REMOVE, .object = map, .key = key};
    return {.kind = Op::Kind::PUT, .object = map, .key = key, .value = someValue()};
  }

  Op ofList(Event event) {
    auto& list = std::get<List>(document.object(event).state);
    auto size = list.size();
    auto what = luck.below(7);
    auto where = list.at(static_cast<uint32_t>(luck.below(size + 1)));
    if (what < 2 || size == 0)
      return {.kind = Op::Kind::INSERT,
          .object = event,
          .value = someValue(),
          .left = where.left,
          .right = where.right};
    auto element = list.elementAt(static_cast<uint32_t>(luck.below(size)));
    if (what == 2)
      return {.kind = Op::Kind::SET, .object = event, .value = someValue(), .element = element};
    if (what == 3) return {.kind = Op::Kind::HIDE, .object = event, .element = element};
    if (what == 4) return {.kind = Op::Kind::SHOW, .object = event, .element = element};
    return {.kind = Op::Kind::MOVE,
        .object = event,
        .element = element,
        .left = where.left,
        .right = where.right};
  }

  Op ofText(Event event) {
    auto [entry, isNew] = lengths.try_emplace(event, 0);
    auto& length = entry->second;
    if (isNew) length = std::get<Text>(document.object(event).state).length();
    auto at = static_cast<uint32_t>(luck.below(length + 1));
    auto count = static_cast<uint32_t>(1 + luck.below(4));
    auto what = luck.below(4);
    if (what == 0 && at < length) {
      count = std::min(count, length - at);
      length -= count;
      return {.kind = Op::Kind::ERASE, .object = event, .at = at, .count = count};
    }
    if (what == 1 && at < length) {
      count = std::min(count, at + 1);
      length -= count;
      return {.kind = Op::Kind::BACKSPACE, .object = event, .at = at, .count = count};
    }
    auto word = someWord(luck);
    auto points = codePoints(word);
    length += points;
    return {.kind = Op::Kind::TYPE, .object = event, .at = at, .count = points, .content = word};
  }
};

// What Draft makes of a place that shall become something else.
std::vector<Op> becoming(Document& document, Luck& luck) {
  Draft draft(document);
  auto containers = containersOf(document);
  auto event = containers[luck.below(containers.size())];
  auto tree = someTree(luck);
  auto& state = document.object(event).state;
  if (auto list = std::get_if<List>(&state)) {
    auto index = static_cast<uint32_t>(luck.below(list->size() + 1));
    if (index < list->size()) {
      draft.setElement(event, list->elementAt(index), tree);
    } else {
      draft.insert(event, list->at(index), tree);
    }
  } else {
    if (!std::holds_alternative<Map>(state)) event = Op::ROOT;
    draft.put(event, std::string(1, static_cast<char>('a' + luck.below(4))), tree);
  }
  return draft.ops();
}

}  // namespace

std::vector<Event> containersOf(const Document& document, kj::Maybe<Container> kind) {
  std::vector<Event> found;
  auto add = [&](Event event) {
    auto object = document.find(event);
    if (object == nullptr) return;
    KJ_IF_MAYBE(wanted, kind) {
      if (object->kind() != *wanted) return;
    }
    found.push_back(event);
  };
  for (Event event = 0; event < document.graph().size(); ++event) add(event);
  add(Op::ROOT);
  return found;
}

std::vector<Op> someOps(Document& document, Luck& luck) {
  bool becomes = luck.below(5) == 0;
  auto count = luck.below(3) == 0 ? 2 + luck.below(3) : 1;
  if (becomes) return becoming(document, luck);
  Editor editor(document, luck);
  std::vector<Op> ops;
  while (ops.size() < count) ops.push_back(editor.some());
  return ops;
}

std::string someWord(Luck& luck) {
  constexpr std::string_view LETTERS[] = {"ä", "日", "🔥", "\n"};
  std::string word;
  auto count = 1 + luck.below(6);
  for (size_t i = 0; i < count; ++i) {
    auto drawn = luck.below(40);
    if (drawn < 4)
      word += LETTERS[drawn];
    else
      word += static_cast<char>('a' + drawn % 26);
  }
  return word;
}

}  // namespace hearth::storage

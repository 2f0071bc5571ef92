#include "storage/crdt/draft.h"

#include "storage/crdt/differences.h"
#include "storage/crdt/paths.h"

namespace hearth::storage {

namespace {

template <typename T>
const T* as(const Tree& tree) {
  return std::get_if<T>(&tree.value);
}

// What stands in a place for such content; none for a plain value.
kj::Maybe<Container> containerOf(const Tree& tree) {
  if (as<Tree::Map>(tree)) return Container::MAP;
  if (as<Tree::List>(tree)) return Container::LIST;
  if (as<Tree::Written>(tree)) return Container::TEXT;
  if (as<Tree::Counted>(tree)) return Container::COUNTER;
  if (as<Tree::Members>(tree)) return Container::SET;
  return nullptr;
}

// Requires a plain value.
Value plainOf(const Tree& tree) {
  return std::visit(
      [](auto& content) -> Value {
        if constexpr (std::is_constructible_v<Value, decltype(content)>) return content;
        KJ_UNREACHABLE;
      },
      tree.value);
}

Value valueFor(const Tree& tree) {
  auto container = containerOf(tree);
  KJ_IF_MAYBE(kind, container) return *kind;
  return plainOf(tree);
}

// Beginnings of code points, and the end.
std::vector<size_t> beginningsIn(std::string_view text) {
  std::vector<size_t> found;
  for (size_t i = 0; i < text.size(); ++i)
    if ((static_cast<uint8_t>(text[i]) & 0xc0) != 0x80) found.push_back(i);
  found.push_back(text.size());
  return found;
}

}  // namespace

// A key of a map, which may be empty, or an element of a list; or the end of one.
struct Draft::Spot {
  Event container;
  std::string key;
  Event element = Op::ROOT;  // of a list; ROOT: its end
  bool isOfList = false;
  const Place* place = nullptr;  // null: nothing is there
};

Event Draft::say(Op op) {
  auto event = next;
  next += op.events();
  all.push_back(kj::mv(op));
  return event;
}

Result<Draft::Spot> Draft::find(const Path& path, bool makeMaps) {
  KJ_REQUIRE(!path.empty());
  Event container = Op::ROOT;
  for (size_t i = 0;; ++i) {
    auto& token = path[i];
    bool isLast = i + 1 == path.size();
    auto known = document.find(container);
    Spot spot{.container = container, .key = token};
    auto map = known == nullptr ? nullptr : std::get_if<Map>(&known->state);
    if (known == nullptr || map != nullptr) {
      if (token.size() > Op::KEY_BYTES_MAX || token.find('\0') != std::string::npos)
        return no(Errc::BAD_FORMAT, "a key that is too long, or holds a zero");
      spot.place = map == nullptr ? nullptr : map->find(token);
    } else if (std::holds_alternative<List>(known->state)) {
      auto& list = std::get<List>(document.object(container).state);
      spot.isOfList = true;
      auto index = indexIn(token, list.size());
      KJ_IF_MAYBE(there, index) {
        spot.element = list.elementAt(*there);
        spot.place = &list.find(spot.element)->value;
      } else if (token != "-" || !isLast) {
        return no(NO_INDEX);
      }
    } else {
      return no(NOTHING_THERE);
    }
    if (isLast) return spot;
    bool holds = spot.place != nullptr && !spot.place->isEmpty();
    if (holds && std::holds_alternative<Container>(spot.place->shown().value)) {
      container = spot.place->shown().event;
    } else if (!holds && makeMaps) {
      container =
          say({.kind = Op::Kind::PUT, .object = container, .key = token, .value = Container::MAP});
    } else {
      return no(NOTHING_THERE);
    }
  }
}

Result<void> Draft::set(const Path& path, const Tree& target) {
  if (path.empty()) {
    auto map = as<Tree::Map>(target);
    if (map == nullptr)
      return no(Errc::BAD_FORMAT, "a document is an object: give a path for anything else");
    becomeMap(Op::ROOT, *map);
    return {};
  }
  auto spot = find(path, true);
  if (!spot) return no(spot.error());
  if (!spot->isOfList) {
    put(spot->container, spot->key, target);
  } else if (spot->element != Op::ROOT) {
    setElement(spot->container, spot->element, target);
  } else {
    auto& list = std::get<List>(document.object(spot->container).state);
    insert(spot->container, list.at(list.size()), target);
  }
  return {};
}

Result<void> Draft::remove(const Path& path) {
  if (path.empty()) return no(Errc::BAD_FORMAT, "a document stays: remove what is in it");
  auto spot = find(path, false);
  if (!spot) return no(spot.error());
  if (spot->place == nullptr || spot->place->isEmpty()) return no(NOTHING_THERE);
  if (spot->isOfList) {
    say({.kind = Op::Kind::HIDE, .object = spot->container, .element = spot->element});
  } else {
    say({.kind = Op::Kind::REMOVE, .object = spot->container, .key = spot->key});
  }
  return {};
}

Result<Event> Draft::containerAt(const Path& path, Container kind, kj::StringPtr otherwise) {
  if (path.empty()) return no(Errc::BAD_FORMAT, otherwise);
  auto spot = find(path, false);
  if (!spot) return no(spot.error());
  if (spot->place == nullptr || spot->place->isEmpty()) return no(NOTHING_THERE);
  auto event = spot->place->shown().event;
  auto object = document.find(event);
  if (object == nullptr || object->kind() != kind) return no(Errc::BAD_FORMAT, otherwise);
  return event;
}

Result<void> Draft::edit(const Path& path, uint32_t at, uint32_t erased, std::string_view typed) {
  auto text =
      containerAt(path, Container::TEXT, "no text is there: hearth doc set --text makes one");
  if (!text) return no(text.error());
  if (erased > 0) say({.kind = Op::Kind::ERASE, .object = *text, .at = at, .count = erased});
  if (!typed.empty())
    say({.kind = Op::Kind::TYPE,
        .object = *text,
        .at = at,
        .count = codePoints(typed),
        .content = std::string(typed)});
  return {};
}

Result<void> Draft::add(const Path& path, int64_t count) {
  auto counter = containerAt(
      path, Container::COUNTER, "no counter is there: hearth doc set --counter makes one");
  if (!counter) return no(counter.error());
  say({.kind = Op::Kind::ADD, .object = *counter, .value = count});
  return {};
}

Result<void> Draft::include(const Path& path, const Tree& value, bool included) {
  auto set = containerAt(path, Container::SET, "no set is there: hearth doc set --set makes one");
  if (!set) return no(set.error());
  if (containerOf(value) != nullptr) return no(Errc::BAD_FORMAT, "a set has plain values");
  say({.kind = included ? Op::Kind::INCLUDE : Op::Kind::EXCLUDE,
      .object = *set,
      .value = plainOf(value)});
  return {};
}

Result<void> Draft::move(const Path& from, uint32_t to) {
  if (from.empty()) return no(NO_INDEX);
  auto spot = find(from, false);
  if (!spot) return no(spot.error());
  if (!spot->isOfList || spot->element == Op::ROOT) return no(NO_INDEX);
  auto& list = std::get<List>(document.object(spot->container).state);
  if (to >= list.size()) return no(NO_INDEX);
  auto elements = list.elements();
  auto now = static_cast<uint32_t>(std::ranges::find(elements, spot->element) - elements.begin());
  if (now == to) return {};
  auto where = list.at(to > now ? to + 1 : to);
  say({.kind = Op::Kind::MOVE,
      .object = spot->container,
      .element = spot->element,
      .left = where.left,
      .right = where.right});
  return {};
}

void Draft::become(const Place& place, const Tree& target, kj::FunctionParam<void()> replace) {
  auto& shown = place.shown();
  auto object = document.find(shown.event);
  if (!std::holds_alternative<Container>(shown.value)) {
    if (containerOf(target) != nullptr || plainOf(target) != shown.value) replace();
    return;
  }
  KJ_ASSERT(object != nullptr);
  switch (object->kind()) {
    case Container::MAP:
      if (auto map = as<Tree::Map>(target)) return becomeMap(shown.event, *map);
      break;
    case Container::LIST:
      if (auto list = as<Tree::List>(target)) return becomeList(shown.event, *list);
      break;
    case Container::TEXT:
      if (auto text = as<Tree::Written>(target)) return becomeText(shown.event, text->text);
      if (auto text = as<std::string>(target)) return becomeText(shown.event, *text);
      break;
    case Container::COUNTER: {
      auto counted = as<Tree::Counted>(target);
      auto plain = as<int64_t>(target);
      if (counted == nullptr && plain == nullptr) break;
      auto wanted = static_cast<uint64_t>(counted ? counted->total : *plain);
      auto has = static_cast<uint64_t>(std::get<Counter>(object->state).total());
      if (wanted != has)
        say({.kind = Op::Kind::ADD,
            .object = shown.event,
            .value = static_cast<int64_t>(wanted - has)});
      return;
    }
    case Container::SET: {
      auto members = as<Tree::Members>(target);
      auto list = as<Tree::List>(target);
      auto isPlain = [](auto& tree) { return containerOf(tree) == nullptr; };
      if (members) return becomeSet(shown.event, members->values);
      if (list && std::ranges::all_of(*list, isPlain)) return becomeSet(shown.event, *list);
      break;
    }
  }
  replace();
}

void Draft::put(Event map, const std::string& key, const Tree& target) {
  auto known = document.find(map);
  auto place = known == nullptr ? nullptr : std::get<Map>(known->state).find(key);
  if (place == nullptr || place->isEmpty()) return replace(map, key, target);
  become(*place, target, [&]() { replace(map, key, target); });
}

void Draft::replace(Event map, const std::string& key, const Tree& target) {
  fill(say({.kind = Op::Kind::PUT, .object = map, .key = key, .value = valueFor(target)}), target);
}

void Draft::setElement(Event list, Event element, const Tree& target) {
  auto known = document.find(list);
  auto found = std::get<List>(KJ_ASSERT_NONNULL(kj::Maybe<const Document::Object&>(known)).state)
                   .find(element);
  KJ_REQUIRE(found != nullptr);
  become(found->value, target, [&]() { replaceElement(list, element, target); });
}

void Draft::replaceElement(Event list, Event element, const Tree& target) {
  fill(say({.kind = Op::Kind::SET, .object = list, .value = valueFor(target), .element = element}),
      target);
}

Event Draft::insert(Event list, List::Between where, const Tree& target) {
  auto event = say({.kind = Op::Kind::INSERT,
      .object = list,
      .value = valueFor(target),
      .left = where.left,
      .right = where.right});
  fill(event, target);
  return event;
}

// The content of a container that an operation of this draft makes.
void Draft::fill(Event object, const Tree& content) {
  if (auto map = as<Tree::Map>(content)) {
    for (auto& [key, value]: *map) put(object, key, value);
  } else if (auto list = as<Tree::List>(content)) {
    List::Between where{Op::ROOT, Op::ROOT};
    for (auto& value: *list) where.left = insert(object, where, value);
  } else if (auto text = as<Tree::Written>(content)) {
    if (!text->text.empty())
      say({.kind = Op::Kind::TYPE,
          .object = object,
          .count = codePoints(text->text),
          .content = text->text});
  } else if (auto counted = as<Tree::Counted>(content)) {
    if (counted->total != 0)
      say({.kind = Op::Kind::ADD, .object = object, .value = counted->total});
  } else if (auto members = as<Tree::Members>(content)) {
    for (auto& value: members->values)
      say({.kind = Op::Kind::INCLUDE, .object = object, .value = plainOf(value)});
  }
}

void Draft::becomeMap(Event object, const Tree::Map& target) {
  auto& map = std::get<Map>(document.object(object).state);
  for (auto& [key, place]: map.places())
    if (!target.contains(key)) say({.kind = Op::Kind::REMOVE, .object = object, .key = key});
  for (auto& [key, value]: target) put(object, key, value);
}

void Draft::becomeList(Event object, const Tree::List& target) {
  auto& list = std::get<List>(document.object(object).state);
  auto elements = list.elements();
  auto now = std::get<Tree::List>(treeOf(document, object).value);
  auto same = [&](size_t i, size_t j) { return now[i] == target[j]; };
  for (auto& change: differences(now.size(), target.size(), same)) {
    auto both = kj::min(change.erased, change.inserted);
    for (size_t i = 0; i < both; ++i)
      setElement(object, elements[change.at + i], target[change.from + i]);
    for (auto i = both; i < change.erased; ++i)
      say({.kind = Op::Kind::HIDE, .object = object, .element = elements[change.at + i]});
    auto where = list.at(static_cast<uint32_t>(change.at + both));
    for (auto i = both; i < change.inserted; ++i)
      where.left = insert(object, where, target[change.from + i]);
  }
}

void Draft::becomeText(Event object, std::string_view target) {
  auto now = std::get<Text>(document.object(object).state).text();
  auto first = beginningsIn(now), second = beginningsIn(target);
  auto point = [](std::string_view text, const std::vector<size_t>& begins, size_t from,
                   size_t count) {
    return text.substr(begins[from], begins[from + count] - begins[from]);
  };
  auto changes = differences(first.size() - 1, second.size() - 1,
      [&](size_t i, size_t j) { return point(now, first, i, 1) == point(target, second, j, 1); });
  // From the last on: what is in front of a change stays where it is.
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    auto at = static_cast<uint32_t>(change->at);
    if (change->erased > 0)
      say({.kind = Op::Kind::ERASE,
          .object = object,
          .at = at,
          .count = static_cast<uint32_t>(change->erased)});
    if (change->inserted > 0)
      say({.kind = Op::Kind::TYPE,
          .object = object,
          .at = at,
          .count = static_cast<uint32_t>(change->inserted),
          .content = std::string(point(target, second, change->from, change->inserted))});
  }
}

void Draft::becomeSet(Event object, const std::vector<Tree>& target) {
  auto& set = std::get<Set>(document.object(object).state);
  auto wanted = [&](const Value& value) {
    return std::ranges::any_of(target, [&](auto& tree) { return plainOf(tree) == value; });
  };
  for (auto& value: set.values())
    if (!wanted(value)) say({.kind = Op::Kind::EXCLUDE, .object = object, .value = value});
  for (auto& tree: target)
    if (!set.holds(plainOf(tree)))
      say({.kind = Op::Kind::INCLUDE, .object = object, .value = plainOf(tree)});
}

Result<Tree> merged(Document& now, const Version& since, const Path& path, const Tree& made,
    const DeviceId& stranger) {
  auto then = now.at(since);
  auto before = then.graph().version();
  Draft draft(then);
  if (auto set = draft.set(path, made); !set) return no(set.error());
  if (auto done = then.commit(stranger, draft.ops(), 0); !done) return no(done.error());
  auto both = now.at(now.graph().version());
  for (auto& bundle: then.since(before)) {
    Document::Merged changed;
    if (auto taken = both.merge(bundle, changed); !taken) return no(taken.error());
  }
  return treeAt(both, path);
}

}  // namespace hearth::storage

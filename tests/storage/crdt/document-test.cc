// Documents against a slow account, in random histories of several devices with all kinds of containers.

#include "tests/storage/crdt/slow-document.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <random>

namespace hearth::storage {
namespace {

using Id = SlowDocument::Id;

DeviceId deviceOf(int author) {
  DeviceId id;
  id.bytes[0] = static_cast<kj::byte>(author + 1);
  return id;
}

struct Luck {
  std::mt19937_64 engine;

  explicit Luck(uint64_t seed): engine(seed) {}
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(engine() % bound); }
};

// One device's copy, with the slow account beside it.
class Replica {
 public:
  Document document;
  SlowDocument slow;

  explicit Replica(int author): author(author) {}

  void change(Luck& luck) {
    std::vector<std::pair<Event, Container>> containers{{Op::ROOT, Container::MAP}};
    for (auto event = 0u; event < document.graph().size(); ++event) {
      if (auto known = document.find(event)) containers.emplace_back(event, known->kind());
    }
    auto [event, kind] = containers[luck.below(static_cast<uint32_t>(containers.size()))];
    switch (kind) {
      case Container::MAP:
        return changeMap(event, luck);
      case Container::LIST:
        return changeList(event, luck);
      case Container::TEXT:
        return changeText(event, luck);
      case Container::COUNTER:
        return commit(
            {.kind = Op::Kind::ADD, .object = event, .value = int64_t{luck.below(9)} - 4});
      case Container::SET: {
        auto what = luck.below(3) ? Op::Kind::INCLUDE : Op::Kind::EXCLUDE;
        return commit({.kind = what, .object = event, .value = int64_t{luck.below(4)}});
      }
    }
  }

  void take(const Replica& other, Luck& luck) {
    Version known;
    if (luck.below(2)) {
      for (auto head: document.graph().version()) {
        KJ_IF_MAYBE(theirs, other.document.graph().find(document.graph().nameOf(head)))
          known.push_back(*theirs);
      }
      std::ranges::sort(known);
      if (!other.document.graph().isVersion(known)) known.clear();
    }
    for (auto& bundle: other.document.since(known)) {
      auto read = readBundle(encode(bundle));
      REQUIRE(read.has_value());
      REQUIRE(*read == bundle);
      Document::Merged merged;
      auto taken = document.merge(*read, merged);
      REQUIRE(taken.has_value());
    }
    for (auto& [id, did]: other.slow.all()) slow.take(did);
  }

  void check() { REQUIRE(treeOf(document) == slow.tree()); }

 private:
  int author;

  Id idOf(Event event) const {
    if (event == Op::ROOT) return {};
    auto name = document.graph().nameOf(event);
    return {document.graph().lamportOf(event), name.author.bytes[0] - 1, name.number};
  }
  FugueMax::Id placeOf(Event place) const {
    if (place == Op::ROOT) return FugueMax::ROOT;
    auto id = idOf(place);
    return {id.author, id.number};
  }

  void commit(Op op) {
    auto did = slow.begin(author, op.kind, idOf(op.object));
    did.key = op.key;
    did.value = op.value;
    did.element = idOf(op.element);
    if (op.hasBetween())
      did.made =
          slow.sequence(did.object).insertingBehind(placeOf(op.left), {author, did.id.number}, 0);
    auto events = document.commit(deviceOf(author), {op}, 0);
    REQUIRE(events.has_value());
    REQUIRE(idOf(events->begin) == did.id);
    slow.take(did);
  }

  Value someValue(Luck& luck) {
    auto what = luck.below(9);
    if (what < CONTAINERS) return static_cast<Container>(what);
    if (what == 5) return std::string("word");
    return int64_t{luck.below(100)};
  }

  void changeMap(Event map, Luck& luck) {
    auto key = std::string(1, static_cast<char>('a' + luck.below(4)));
    if (luck.below(4) == 0) return commit({.kind = Op::Kind::REMOVE, .object = map, .key = key});
    commit({.kind = Op::Kind::PUT, .object = map, .key = key, .value = someValue(luck)});
  }

  void changeList(Event event, Luck& luck) {
    auto& list = std::get<List>(document.object(event).state);
    auto what = luck.below(6);
    if (what < 2 || list.size() == 0) {
      auto where = list.at(luck.below(list.size() + 1));
      return commit({.kind = Op::Kind::INSERT,
          .object = event,
          .value = someValue(luck),
          .left = where.left,
          .right = where.right});
    }
    auto element = list.elementAt(luck.below(list.size()));
    if (what == 2)
      return commit(
          {.kind = Op::Kind::SET, .object = event, .value = someValue(luck), .element = element});
    if (what == 3) return commit({.kind = Op::Kind::HIDE, .object = event, .element = element});
    if (what == 4) return commit({.kind = Op::Kind::SHOW, .object = event, .element = element});
    auto where = list.at(luck.below(list.size() + 1));
    commit({.kind = Op::Kind::MOVE,
        .object = event,
        .element = element,
        .left = where.left,
        .right = where.right});
  }

  void changeText(Event event, Luck& luck) {
    auto length = std::get<Text>(document.object(event).state).length();
    auto at = luck.below(length + 1);
    auto count = 1 + luck.below(3);
    bool erases = luck.below(3) == 0 && at < length;
    if (erases) count = std::min(count, length - at);
    auto content = std::string(count, static_cast<char>('a' + luck.below(26)));
    auto object = idOf(event);
    for (uint32_t i = 0; i < count; ++i) {
      auto did = slow.begin(author, erases ? Op::Kind::ERASE : Op::Kind::TYPE, object);
      auto& letters = slow.sequence(object);
      if (erases) {
        did.gone = letters.erasing(at);
      } else {
        did.made =
            letters.inserting(at + i, {author, did.id.number}, static_cast<char32_t>(content[i]));
      }
      slow.take(did);
    }
    Op op{.kind = erases ? Op::Kind::ERASE : Op::Kind::TYPE,
        .object = event,
        .at = at,
        .count = count};
    if (!erases) op.content = content;
    REQUIRE(document.commit(deviceOf(author), {op}, 0).has_value());
  }
};

TEST_CASE("devices that change one document at random agree with a slow account at each step") {
  auto seed = GENERATE(range(1, 61));
  CAPTURE(seed);
  Luck luck(static_cast<uint64_t>(seed));
  auto count = 2 + luck.below(4);
  std::vector<Replica> replicas;
  for (auto i = 0u; i < count; ++i) replicas.emplace_back(static_cast<int>(i));
  for (int step = 0; step < 80; ++step) {
    auto& replica = replicas[luck.below(count)];
    if (luck.below(4) > 0) {
      replica.change(luck);
    } else {
      replica.take(replicas[luck.below(count)], luck);
    }
    replica.check();
  }
  for (auto& replica: replicas) {
    for (auto& other: replicas) replica.take(other, luck);
    replica.check();
  }
  for (auto& replica: replicas) REQUIRE(treeOf(replica.document) == treeOf(replicas[0].document));
}

TEST_CASE("a document is read as it was at any version") {
  auto seed = GENERATE(range(1, 11));
  CAPTURE(seed);
  Luck luck(static_cast<uint64_t>(seed));
  Replica one(0), other(1);
  std::vector<std::pair<Version, Tree>> pasts;
  for (int step = 0; step < 60; ++step) {
    one.change(luck);
    other.change(luck);
    if (luck.below(5) == 0) other.take(one, luck);
    if (luck.below(5) == 0) one.take(other, luck);
    pasts.emplace_back(one.document.graph().version(), treeOf(one.document));
  }
  for (auto& [version, tree]: pasts) {
    auto past = one.document.at(version);
    REQUIRE(treeOf(past) == tree);
  }
}

// What leaves one document, read and merged by another.
Document copied(const Document& document) {
  Document copy;
  for (auto& bundle: document.since({})) {
    auto read = readBundle(encode(bundle));
    REQUIRE(read.has_value());
    Document::Merged merged;
    REQUIRE(copy.merge(*read, merged).has_value());
  }
  return copy;
}

Op typing(Event text, uint32_t at, std::string content) {
  auto count = codePoints(content);
  return {
      .kind = Op::Kind::TYPE, .object = text, .at = at, .count = count, .content = kj::mv(content)};
}

TEST_CASE("edits of any length are made, and travel in operations within their limits") {
  Document document;
  auto author = deviceOf(0);
  REQUIRE(
      document.commit(author, {{.kind = Op::Kind::PUT, .key = "text", .value = Container::TEXT}}, 0)
          .has_value());
  uint32_t length = 2 * Op::TYPED_MAX + 5;
  REQUIRE(document.commit(author, {typing(0, 0, std::string(length, 'a'))}, 0).has_value());
  Op erase{.kind = Op::Kind::ERASE, .object = 0, .at = 10, .count = 3 * Op::ERASED_MAX};
  Op back{.kind = Op::Kind::BACKSPACE, .object = 0, .at = length - erase.count - 1, .count = 9'000};
  REQUIRE(document.commit(author, {erase, back}, 0).has_value());
  auto& text = std::get<Text>(document.object(0).state);
  REQUIRE(text.length() == length - erase.count - back.count);
  for (auto& bundle: document.since({})) {
    for (auto& run: bundle.runs) {
      for (auto& op: run.ops) REQUIRE(op.events() <= std::max(1u, op.pointsMax()));
    }
  }
  auto copy = copied(document);
  REQUIRE(treeOf(copy) == treeOf(document));
}

TEST_CASE("an operation that deletes more than its limit is refused, whatever it would find") {
  Document document, other;
  auto author = deviceOf(0);
  REQUIRE(
      document.commit(author, {{.kind = Op::Kind::PUT, .key = "text", .value = Container::TEXT}}, 0)
          .has_value());
  auto bundle = document.since({})[0];
  bundle.runs[0].ops.push_back(
      {.kind = Op::Kind::ERASE, .object = 0, .at = 0, .count = Op::ERASED_MAX + 1});
  Document::Merged merged;
  REQUIRE(other.merge(bundle, merged).error().code == Errc::LIMIT_EXCEEDED);
  REQUIRE(other.graph().size() == 0);
}

TEST_CASE("operations that build on very many others travel in bundles that can be read") {
  Document document;
  auto author = deviceOf(0);
  std::vector<Op> ops{{.kind = Op::Kind::PUT, .key = "list", .value = Container::LIST}};
  constexpr uint32_t COUNT = 70'000;
  for (Event i = 0; i < COUNT; ++i)
    ops.push_back({.kind = Op::Kind::INSERT,
        .object = 0,
        .value = int64_t{i},
        .left = i == 0 ? Op::ROOT : i});
  REQUIRE(document.commit(author, ops, 0).has_value());
  auto known = document.graph().version();
  ops.clear();
  for (Event i = 1; i + 2 <= COUNT; ++i)  // each behind the next
    ops.push_back(
        {.kind = Op::Kind::MOVE, .object = 0, .element = i, .left = i + 1, .right = i + 2});
  REQUIRE(document.commit(deviceOf(1), ops, 0).has_value());
  REQUIRE(document.since(known).size() > 1);
  auto copy = copied(document);
  REQUIRE(treeOf(copy) == treeOf(document));
}

TEST_CASE("what is known in part is taken from there on, in the middle of a word too") {
  Document document, other;
  auto author = deviceOf(0);
  REQUIRE(
      document.commit(author, {{.kind = Op::Kind::PUT, .key = "text", .value = Container::TEXT}}, 0)
          .has_value());
  REQUIRE(document.commit(author, {typing(0, 0, "grö")}, 0).has_value());
  Document::Merged merged;
  REQUIRE(other.merge(document.since({})[0], merged).has_value());
  REQUIRE(document.commit(author, {typing(0, 3, "ßer")}, 0).has_value());
  auto whole = document.since({});
  REQUIRE(whole[0].runs[0].ops.size() == 2);  // the word is one
  REQUIRE(other.merge(whole[0], merged).has_value());
  REQUIRE(treeOf(other) == treeOf(document));
  REQUIRE(merged.events.size() == 3);
  REQUIRE(other.merge(whole[0], merged).has_value());
  REQUIRE(merged.events.size() == 0);
}

TEST_CASE("what builds on something that is not here waits for it, and what cannot be is refused") {
  Document document, other;
  auto author = deviceOf(0);
  REQUIRE(
      document.commit(author, {{.kind = Op::Kind::PUT, .key = "a", .value = Container::LIST}}, 0)
          .has_value());
  auto first = document.since({})[0];
  auto known = document.graph().version();
  REQUIRE(document.commit(author, {{.kind = Op::Kind::INSERT, .object = 0, .value = true}}, 0)
          .has_value());
  auto second = document.since(known)[0];
  Document::Merged merged;
  REQUIRE(other.merge(second, merged).error().code == Errc::STALE);
  auto refused = [&](auto&& change) {
    Document fresh;
    REQUIRE(fresh.merge(first, merged).has_value());
    auto changed = second;
    change(changed.runs[0]);
    auto taken = fresh.merge(changed, merged);
    return !taken && taken.error().code == Errc::BAD_FORMAT && fresh.graph().size() == 1;
  };
  using Run = Bundle::Run;
  REQUIRE(refused([](Run& run) { run.ops[0].object = Op::ROOT; }));  // of another kind
  REQUIRE(refused([](Run& run) { run.ops[0].object = 1; }));         // no container
  REQUIRE(refused([](Run& run) { run.ops[0].left = 0; }));           // no place of the list
  REQUIRE(refused([](Run& run) { run.parents.clear(); }));  // beside its author's own last one
  REQUIRE(
      refused([](Run& run) { run.ops[0] = {.kind = Op::Kind::SET, .object = 0, .element = 0}; }));
  REQUIRE(refused([](Run& run) { run.ops[0] = {.kind = Op::Kind::PUT, .object = 0, .key = "k"}; }));
}

}  // namespace
}  // namespace hearth::storage

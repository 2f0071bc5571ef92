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

}  // namespace
}  // namespace hearth::storage

#include "storage/crdt/differences.h"
#include "storage/crdt/undo.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <random>

namespace hearth::storage {
namespace {

using L = Tree::List;
using M = Tree::Map;

Tree n(int64_t number) { return {number}; }
Tree s(const char* text) { return {std::string(text)}; }
Tree written(const char* text) { return {Tree::Written{text}}; }

struct Copy {
  DeviceId author;
  Document document;

  explicit Copy(int number) { author.bytes[0] = static_cast<kj::byte>(number); }

  template <typename F>
  EventRange change(F&& make) {
    Draft draft(document);
    Result<void> made = make(draft);
    REQUIRE(made.has_value());
    auto done = document.commit(author, draft.ops(), 0);
    REQUIRE(done.has_value());
    return *done;
  }
  EventRange set(const Path& path, const Tree& tree) {
    return change([&](Draft& draft) { return draft.set(path, tree); });
  }
  void undo(EventRange events) {
    REQUIRE(document.commit(author, opsToUndo(document, events), 0).has_value());
  }
  void take(Copy& other) {
    for (auto& bundle: other.document.since({})) {
      Document::Merged merged;
      REQUIRE(document.merge(bundle, merged).has_value());
    }
  }
  Tree at(const Path& path) { return treeAt(document, path).value(); }
};

void exchange(Copy& a, Copy& b) {
  a.take(b);
  b.take(a);
  REQUIRE(treeOf(a.document) == treeOf(b.document));
}

TEST_CASE(
    "differences turn one sequence into the other, and are as few as can be where little differs") {
  auto seed = GENERATE(range(0, 200));
  std::mt19937_64 luck(static_cast<uint64_t>(seed));
  auto random = [&](size_t size) {
    std::string text;
    for (size_t i = 0; i < size; ++i) text += static_cast<char>('a' + luck() % 3);
    return text;
  };
  auto first = random(luck() % 30), second = random(luck() % 30);
  auto made = first;
  auto changes = differences(
      first.size(), second.size(), [&](size_t i, size_t j) { return first[i] == second[j]; });
  size_t cost = 0;
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    made.replace(change->at, change->erased, second.substr(change->from, change->inserted));
    cost += change->erased + change->inserted;
  }
  REQUIRE(made == second);
  // The longest common subsequence by the textbook.
  std::vector<std::vector<size_t>> longest(
      first.size() + 1, std::vector<size_t>(second.size() + 1));
  for (size_t i = first.size(); i-- > 0;)
    for (size_t j = second.size(); j-- > 0;)
      longest[i][j] = first[i] == second[j] ? longest[i + 1][j + 1] + 1
                                            : std::max(longest[i + 1][j], longest[i][j + 1]);
  REQUIRE(cost == first.size() + second.size() - 2 * longest[0][0]);
}

TEST_CASE("a value is set where there was none, with the maps on the way") {
  Copy a(1);
  a.set({"x", "y", "z"}, n(1));
  REQUIRE(a.at({}) == Tree{M{{"x", {M{{"y", {M{{"z", n(1)}}}}}}}}});
}

TEST_CASE("content of every kind becomes what it is told to be") {
  Copy a(1);
  Tree all{M{{"list", {L{n(1), s("two"), {M{{"three", n(3)}}}}}}, {"text", written("words")},
      {"counter", {Tree::Counted{4}}}, {"set", {Tree::Members{{n(1), n(2)}}}}, {"nothing", {}}}};
  a.set({}, all);
  REQUIRE(a.at({}) == all);
  Tree other{M{{"list", {L{s("two"), n(1), {M{{"three", n(4)}}}, n(9)}}},
      {"text", written("a word")}, {"counter", {Tree::Counted{-1}}},
      {"set", {Tree::Members{{n(2), n(3)}}}}, {"yes", {true}}}};
  a.set({}, other);
  REQUIRE(a.at({}) == other);
}

TEST_CASE("plain values change a text, a counter and a set that are there") {
  Copy a(1);
  a.set({},
      {M{{"text", written("words")}, {"counter", {Tree::Counted{4}}},
          {"set", {Tree::Members{{n(1)}}}}}});
  a.set({}, {M{{"text", s("swords")}, {"counter", n(6)}, {"set", {L{n(2)}}}}});
  REQUIRE(a.at({}) ==
      Tree{M{{"text", written("swords")}, {"counter", {Tree::Counted{6}}},
          {"set", {Tree::Members{{n(2)}}}}}});
}

TEST_CASE("what is set leaves alone what it does not change, so that others' changes stay") {
  Copy a(1), b(2);
  a.set({}, {M{{"text", written("one two three")}, {"list", {L{n(1), n(2), n(3)}}}}});
  exchange(a, b);
  a.set({"text"}, s("One two three"));
  b.set({"text"}, s("one two Three"));
  a.set({"list"}, {L{n(1), n(2), n(3), n(4)}});
  b.set({"list"}, {L{n(0), n(1), n(2), n(3)}});
  exchange(a, b);
  REQUIRE(a.at({"text"}) == written("One two Three"));
  REQUIRE(a.at({"list"}) == Tree{L{n(0), n(1), n(2), n(3), n(4)}});
}

TEST_CASE("a place that is not there is refused") {
  Copy a(1);
  a.set({}, {M{{"list", {L{n(1)}}}, {"text", written("x")}, {"number", n(1)}}});
  Draft draft(a.document);
  for (auto& path: {Path{"list", "1"}, Path{"list", "x"}, Path{"list", "01"},
           Path{"list", "-", "x"}, Path{"number", "x"}, Path{"text", "0"}, Path{"none"}, Path{}}) {
    INFO(path.size());
    REQUIRE_FALSE(draft.remove(path).has_value());
  }
  REQUIRE_FALSE(draft.set({}, n(1)).has_value());
  REQUIRE_FALSE(draft.set({"list", "7"}, n(1)).has_value());
  REQUIRE_FALSE(draft.edit({"list"}, 0, 0, "x").has_value());
  REQUIRE_FALSE(draft.add({"text"}, 1).has_value());
  REQUIRE_FALSE(draft.move({}, 0).has_value());
  REQUIRE(draft.ops().empty());
}

TEST_CASE("an element moves to where it is told, and others find it there") {
  Copy a(1), b(2);
  a.set({"list"}, {L{n(0), n(1), n(2), n(3)}});
  exchange(a, b);
  a.change([](Draft& draft) { return draft.move({"list", "0"}, 2); });
  REQUIRE(a.at({"list"}) == Tree{L{n(1), n(2), n(0), n(3)}});
  a.change([](Draft& draft) { return draft.move({"list", "3"}, 0); });
  REQUIRE(a.at({"list"}) == Tree{L{n(3), n(1), n(2), n(0)}});
  b.set({"list", "0"}, n(7));
  exchange(a, b);
  REQUIRE(a.at({"list"}) == Tree{L{n(3), n(1), n(2), n(7)}});
}

// A random change of a document that has something of each kind.
EventRange changeAtRandom(Copy& copy, std::mt19937_64& luck) {
  auto below = [&](uint32_t bound) { return static_cast<uint32_t>(luck() % bound); };
  auto& document = copy.document;
  auto tree = [&](const char* key) { return treeAt(document, {key}).value().value; };
  switch (below(8)) {
    case 0:
      return copy.set({"map", std::string(1, static_cast<char>('a' + below(3)))}, n(below(100)));
    case 1: {
      auto key = std::string(1, static_cast<char>('a' + below(3)));
      return copy.change([&](Draft& draft) {
        (void)draft.remove({"map", key});
        return Result<void>();
      });
    }
    case 2:
      return copy.set({"list", "-"}, n(below(100)));
    case 3:
    case 4: {
      auto size = static_cast<uint32_t>(std::get<L>(tree("list")).size());
      auto index = std::to_string(size == 0 ? 0 : below(size));
      auto to = size == 0 ? 0 : below(size);
      bool moves = below(2);
      auto value = n(below(100));
      return copy.change([&](Draft& draft) {
        if (size > 0)
          (void)(moves       ? draft.move({"list", index}, to)
                  : below(2) ? draft.set({"list", index}, value)
                             : draft.remove({"list", index}));
        return Result<void>();
      });
    }
    case 5:
      return copy.change([&](Draft& draft) { return draft.add({"counter"}, below(9) - 4l); });
    case 6:
      return copy.change(
          [&](Draft& draft) { return draft.include({"set"}, n(below(4)), below(2)); });
    default: {
      auto length = codePoints(std::get<Tree::Written>(tree("text")).text);
      auto at = below(length + 1);
      auto erased = below(kj::min(length - at, 4u) + 1);
      std::string typed;
      for (auto i = below(4); i > 0; --i) typed += below(2) ? "ä" : "x";
      return copy.change([&](Draft& draft) { return draft.edit({"text"}, at, erased, typed); });
    }
  }
}

Tree everything() {
  return {M{{"map", {M{{"a", {M{{"deep", n(1)}}}}}}}, {"list", {L{n(1), n(2), n(3)}}},
      {"text", written("wörds")}, {"counter", {Tree::Counted{4}}},
      {"set", {Tree::Members{{n(1), n(2)}}}}}};
}

TEST_CASE("taking changes back from the newest on restores what was there, in random histories") {
  auto seed = GENERATE(range(0, 300));
  std::mt19937_64 luck(static_cast<uint64_t>(seed));
  Copy a(1);
  a.set({}, everything());
  std::vector<Tree> before;
  std::vector<EventRange> changes;
  for (int i = 0; i < 8; ++i) {
    before.push_back(treeOf(a.document));
    changes.push_back(changeAtRandom(a, luck));
  }
  for (int i = 8; i-- > 0;) {
    INFO("change " << i << " of seed " << seed);
    a.undo(changes[static_cast<size_t>(i)]);
    REQUIRE(treeOf(a.document) == before[static_cast<size_t>(i)]);
  }
}

TEST_CASE("what others did stays when one's own change is taken back, in random histories") {
  auto seed = GENERATE(range(0, 300));
  std::mt19937_64 luck(static_cast<uint64_t>(seed));
  Copy a(1), b(2), without(2);
  a.set({}, everything());
  exchange(a, b);
  without.take(a);
  // Ben alone, and Ben beside Anna, who takes her change back.
  auto other = luck;
  auto hers = a.change([&](Draft& draft) {
    return draft.edit({"text"}, static_cast<uint32_t>(luck() % 6), 0, "hers");
  });
  changeAtRandom(b, other);
  exchange(a, b);
  a.undo(hers);
  exchange(a, b);
  other = std::mt19937_64(static_cast<uint64_t>(seed));
  changeAtRandom(without, other);
  REQUIRE(treeOf(a.document) == treeOf(without.document));
}

TEST_CASE("a text comes back where it was, also when others have written around it") {
  Copy a(1), b(2);
  a.set({"text"}, written("one two three"));
  exchange(a, b);
  auto erased = a.change([](Draft& draft) { return draft.edit({"text"}, 4, 4, ""); });
  b.change([](Draft& draft) { return draft.edit({"text"}, 0, 0, "zero "); });
  exchange(a, b);
  a.undo(erased);
  REQUIRE(a.at({"text"}) == written("zero one two three"));
}

// What Anna does is undone after Ben has come beside it: it is as if she had not done it.
void undoneBesideBen(const Tree& first, auto&& hers, auto&& bens) {
  Copy a(1), b(2), without(2);
  a.set({}, first);
  exchange(a, b);
  without.take(a);
  auto change = a.change(hers);
  b.change(bens);
  without.change(bens);
  exchange(a, b);
  auto made = treeOf(a.document);
  auto undone = a.document.commit(a.author, opsToUndo(a.document, change), 0);
  REQUIRE(undone.has_value());
  REQUIRE(treeOf(a.document) == treeOf(without.document));
  exchange(a, b);
  a.undo(*undone);
  REQUIRE(treeOf(a.document) == made);
}

TEST_CASE("a value that another one wrote at the same time is shown when one's own is taken back") {
  for (auto key: {"a", "b"}) {  // whoever was shown
    undoneBesideBen(
        {M{{"a", n(0)}, {"b", n(0)}}},
        [](Draft& draft) { return draft.set({}, {M{{"a", n(1)}, {"b", n(1)}}}); },
        [&](Draft& draft) { return draft.set({key}, n(2)); });
  }
  // He has removed what she has set.
  undoneBesideBen(
      {M{{"a", n(0)}}}, [](Draft& draft) { return draft.set({"a"}, n(1)); },
      [](Draft& draft) { return draft.remove({"a"}); });
}

TEST_CASE(
    "a member that another one included as well stays when one's own inclusion is taken back") {
  undoneBesideBen(
      {M{{"set", {Tree::Members{}}}}},
      [](Draft& draft) { return draft.include({"set"}, n(1), true); },
      [](Draft& draft) { return draft.include({"set"}, n(1), true); });
}

TEST_CASE("what another one deleted as well stays away when one's own deletion is taken back") {
  auto letters = [](Draft& draft) { return draft.edit({"text"}, 1, 2, ""); };
  undoneBesideBen({M{{"text", written("abcd")}}}, letters, letters);
  auto element = [](Draft& draft) { return draft.remove({"list", "0"}); };
  undoneBesideBen({M{{"list", {L{n(1), n(2)}}}}}, element, element);
}

TEST_CASE("letters come back on both sides of what another one typed between them") {
  undoneBesideBen(
      {M{{"text", written("abcd")}}}, [](Draft& draft) { return draft.edit({"text"}, 0, 4, ""); },
      [](Draft& draft) { return draft.edit({"text"}, 2, 0, "X"); });
}

TEST_CASE("an element goes to where another one moved it when one's own move is taken back") {
  undoneBesideBen(
      {M{{"list", {L{n(0), n(1), n(2), n(3)}}}}},
      [](Draft& draft) { return draft.move({"list", "0"}, 3); },
      [](Draft& draft) { return draft.move({"list", "0"}, 1); });
}

TEST_CASE("what another one typed into a text that one has removed is in it when it comes back") {
  undoneBesideBen(
      {M{{"text", written("abcd")}}}, [](Draft& draft) { return draft.remove({"text"}); },
      [](Draft& draft) { return draft.edit({"text"}, 4, 0, "e"); });
}

TEST_CASE("what was typed before its text was replaced is taken back after that was") {
  Copy a(1);
  a.set({"text"}, written("one"));
  auto typed = a.change([](Draft& draft) { return draft.edit({"text"}, 3, 0, " two"); });
  auto replaced = a.set({"text"}, {L{}});
  a.undo(replaced);
  REQUIRE(a.at({"text"}) == written("one two"));
  a.undo(typed);
  REQUIRE(a.at({"text"}) == written("one"));
}

TEST_CASE("a number comes back as a number when a counter had taken its place") {
  Copy a(1);
  a.set({"a"}, n(67));
  auto change = a.change([](Draft& draft) {
    draft.replace(Op::ROOT, "a", {Tree::Counted{3}});
    return Result<void>();
  });
  a.undo(change);
  REQUIRE(a.at({"a"}) == n(67));
}

}  // namespace
}  // namespace hearth::storage

// What documents take and refuse. (Random histories: histories/.)

#include "storage/crdt/rope.h"
#include "storage/crdt/tree.h"
#include "tests/crypto/seeds.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

namespace hearth::storage {
namespace {

DeviceId deviceOf(int author) {
  DeviceId id;
  id.bytes[0] = static_cast<kj::byte>(author + 1);
  return id;
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

TEST_CASE("what each operation did is told of it alone, whichever of many texts it edits") {
  Document document;
  auto author = deviceOf(0);
  constexpr Event TEXTS = 300;
  for (Event i = 0; i < TEXTS; ++i) {
    Op text{.kind = Op::Kind::PUT, .key = std::to_string(i), .value = Container::TEXT};
    REQUIRE(document.commit(author, {text}, 0).has_value());
  }
  Luck luck(4);
  std::map<Event, std::pair<Event, std::string>> typed;  // text and content, by first event
  for (int i = 0; i < 3'000; ++i) {
    auto text = luck.below(TEXTS), times = luck.below(3) + 1;
    for (uint32_t j = 0; j < times; ++j) {
      auto content = std::to_string(luck.below(1'000));
      auto events = document.commit(author, {typing(text, 0, content)}, 0);
      REQUIRE(events.has_value());
      typed[events->begin] = {text, content};
    }
    if (luck.below(2) == 0) {
      Op other{.kind = Op::Kind::PUT, .key = "n", .value = int64_t{i}};
      REQUIRE(document.commit(author, {other}, 0).has_value());
    }
  }
  for (auto& [event, edit]: typed) {
    auto count = static_cast<Event>(edit.second.size());
    auto found = document.opsIn({event, event + count});
    REQUIRE(found.size() == 1);
    REQUIRE(found[0].first == event);
    REQUIRE(found[0].second.object == edit.first);
    REQUIRE(found[0].second.content == edit.second);
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

TEST_CASE(
    "a place between two that stand the other way round is one between the left one and the end") {
  Document document;
  auto author = deviceOf(0);
  std::vector<Op> ops{{.kind = Op::Kind::PUT, .key = "list", .value = Container::LIST}};
  for (Event i = 1; i <= 3; ++i)
    ops.push_back({.kind = Op::Kind::INSERT,
        .object = 0,
        .value = int64_t{i},
        .left = i == 1 ? Op::ROOT : i - 1});
  ops.push_back(
      {.kind = Op::Kind::INSERT, .object = 0, .value = int64_t{4}, .left = 3, .right = 1});
  ops.push_back({.kind = Op::Kind::MOVE, .object = 0, .element = 1, .left = 2, .right = 2});
  REQUIRE(document.commit(author, ops, 0).has_value());
  Tree::List expected{{int64_t{2}}, {int64_t{3}}, {int64_t{4}}, {int64_t{1}}};
  auto list = std::get<Tree::Map>(treeOf(document).value).at("list");
  REQUIRE(list == Tree{expected});
  auto copy = copied(document);
  REQUIRE(treeOf(copy) == treeOf(document));
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

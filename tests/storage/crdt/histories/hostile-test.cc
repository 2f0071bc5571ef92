// What a member of the circle may sign that no honest device would: absurd operations. All devices must take or
// refuse them alike, be the same afterwards in whatever order they come, and go on.

#include "storage/crdt/undo.h"
#include "tests/storage/crdt/histories/editing.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

namespace hearth::storage {
namespace {

DeviceId deviceOf(size_t author) {
  DeviceId id;
  id.bytes[0] = static_cast<kj::byte>(author + 1);
  return id;
}

// Takes all that another document has that is not here.
void takeAll(Document& document, const Document& from) {
  for (auto& bundle: from.since({})) {
    Document::Merged merged;
    auto taken = document.merge(readBundle(encode(bundle)).value(), merged);
    REQUIRE(taken.has_value());
  }
}

// Any operation, mostly on a container of its kind and then on places and elements of that, in any order; else on
// anything that is here.
Op absurd(const Document& document, Luck& luck) {
  auto size = document.graph().size();
  auto any = [&]() { return luck.below(6) == 0 ? Op::ROOT : static_cast<Event>(luck.below(size)); };
  Op op{.kind = static_cast<Op::Kind>(luck.below(Op::KINDS)), .object = any()};
  if (luck.below(3) == 0) op.kind = luck.below(2) == 0 ? Op::Kind::INSERT : Op::Kind::MOVE;
  op.key = std::string(1, static_cast<char>('a' + luck.below(4)));
  op.value = static_cast<int64_t>(luck.next());
  op.element = any(), op.left = any(), op.right = any();
  if (luck.below(3) == 0 && op.kind <= Op::Kind::SET)
    op.value = static_cast<Container>(luck.below(CONTAINERS));
  auto lists = containersOf(document, Container::LIST);
  if (op.kind >= Op::Kind::INSERT && op.kind <= Op::Kind::SHOW && !lists.empty() &&
      luck.below(6) > 0) {
    op.object = lists[luck.below(lists.size())];
    auto& list = std::get<List>(document.find(op.object)->state);
    std::vector<Event> places{Op::ROOT}, elements{Op::ROOT};
    for (Event event = 0; event < size; ++event) {
      if (list.hasPlace(event)) places.push_back(event);
      if (list.find(event) != nullptr) elements.push_back(event);
    }
    op.left = places[luck.below(places.size())];
    op.right = places[luck.below(places.size())];
    op.element = elements[luck.below(elements.size())];
  }
  auto texts = containersOf(document, Container::TEXT);
  if (op.isOfText() && !texts.empty() && luck.below(6) > 0)
    op.object = texts[luck.below(texts.size())];
  if (!op.isOfText()) return op;
  op.at = luck.below(2) == 0 ? static_cast<uint32_t>(luck.below(20)) : EVENTS_MAX / 2;
  op.count = static_cast<uint32_t>(1 + luck.below(luck.below(4) == 0 ? Op::ERASED_MAX : 5));
  if (op.kind == Op::Kind::TYPE) op.content = std::string(op.count, 'h');
  if (op.kind == Op::Kind::BACKSPACE) op.at = std::max(op.at, op.count - 1);
  return op;
}

// Commits it as its author's next, past what an honest device would check. Whether it was taken.
bool force(Document& document, size_t author, Op op) {
  Bundle bundle;
  bundle.authors.push_back(deviceOf(author));
  std::vector<Event> named;
  eachReference(op, [&](Event& event) { named.push_back(event); });
  auto parents = document.graph().version();
  named.insert(named.end(), parents.begin(), parents.end());
  std::ranges::sort(named);
  named.erase(std::ranges::unique(named).begin(), named.end());
  auto numberOf = [&](Event event) {
    return static_cast<Event>(std::ranges::lower_bound(named, event) - named.begin());
  };
  for (auto event: named) {
    auto name = document.graph().nameOf(event);
    auto index = std::ranges::find(bundle.authors, name.author) - bundle.authors.begin();
    if (index == std::ssize(bundle.authors)) bundle.authors.push_back(name.author);
    bundle.foreign.push_back({static_cast<uint32_t>(index), name.number});
  }
  for (auto& parent: parents) parent = numberOf(parent);
  eachReference(op, [&](Event& event) { event = numberOf(event); });
  bundle.runs.push_back(
      {0, document.graph().countOf(deviceOf(author)), parents, {{0, 0}}, {std::move(op)}});
  auto read = readBundle(encode(bundle));
  if (!read) return false;
  Document::Merged merged;
  return document.merge(*read, merged).has_value();
}

TEST_CASE(
    "absurd operations of one member leave all devices the same, in whatever order they come") {
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  Seeds seeds(30);
#else
  Seeds seeds(300);
#endif
  size_t taken = 0, refused = 0;
  for (auto seed = seeds.first; seed <= seeds.last; ++seed) {
    Luck luck(seed);
    INFO("seed " << seed);
    std::vector<Document> devices(2 + luck.below(3));
    for (auto step = 20 + luck.below(60); step > 0; --step) {
      auto who = luck.below(devices.size());
      auto& document = devices[who];
      if (luck.below(5) == 0) {
        takeAll(document, devices[luck.below(devices.size())]);
      } else if (who == 0 && luck.below(4) > 0 && document.graph().size() > 0) {
        force(document, who, absurd(document, luck)) ? ++taken : ++refused;
      } else {
        auto ops = someOps(document, luck);
        REQUIRE(document.commit(deviceOf(who), ops, 0).has_value());
      }
    }
    for (auto& device: devices) {
      for (auto& other: devices) takeAll(device, other);
    }
    for (auto& device: devices) {
      REQUIRE(treeOf(device) == treeOf(devices[0]));
      auto again = device.at(device.graph().version());
      REQUIRE(treeOf(again) == treeOf(device));
    }
    // And each takes back what is whose, at any place.
    for (size_t who = 0; who < devices.size(); ++who) {
      auto count = devices[who].graph().countOf(deviceOf(who));
      if (count == 0) continue;
      auto number = static_cast<uint32_t>(luck.below(count));
      auto events = devices[who].graph().findRange({deviceOf(who), number}, 3);
      REQUIRE(devices[who].commit(deviceOf(who), opsToUndo(devices[who], events), 0).has_value());
    }
  }
  REQUIRE(taken > 0);
  REQUIRE(refused > 0);
}

}  // namespace
}  // namespace hearth::storage

// Text against a slow account of FugueMax, in random histories of several devices.

#include "storage/crdt/text.h"
#include "tests/storage/crdt/fugue-max.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <random>
#include <set>
#include <variant>

namespace hearth::storage {
namespace {

DeviceId deviceOf(int author) {
  DeviceId id;
  id.bytes[0] = static_cast<kj::byte>(author + 1);
  return id;
}

std::u32string decoded(std::string_view utf8) {
  std::u32string out;
  for (size_t at = 0; at < utf8.size();) {
    auto lead = static_cast<unsigned char>(utf8[at]);
    size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    char32_t point = length == 1 ? lead : lead & (0x3f >> (length - 1));
    for (size_t i = 1; i < length; ++i) point = (point << 6) | (utf8[at + i] & 0x3f);
    out += point;
    at += length;
  }
  return out;
}

// One device's copy, with the slow account beside it.
class Replica {
 public:
  EventGraph graph;
  Text text;
  FugueMax slow;

  explicit Replica(int author): author(author) {}

  void type(uint32_t at, std::string_view utf8) {
    auto events = mine(codePoints(utf8));
    uint32_t i = 0;
    for (auto point: decoded(utf8)) {
      auto made = slow.inserting(at + i, idOf(events.begin + i), point);
      slow.insert(made);
      slowEdits[idOf(events.begin + i)] = made;
      ++i;
    }
    text.insert(events, at, utf8);
  }

  void erase(uint32_t at, uint32_t count) {
    auto events = mine(count);
    for (uint32_t i = 0; i < count; ++i) {
      auto gone = slow.erasing(at);
      slow.erase(gone);
      slowEdits[idOf(events.begin + i)] = gone;
    }
    text.erase(events, at);
  }

  void backspace(uint32_t at, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) erase(at - i, 1);
  }

  // Learns all that another knows.
  Text::Changes take(const Replica& other) {
    auto first = graph.size();
    for (auto& run: other.graph.runs()) {
      for (auto event = run.events.begin; event < run.events.end; ++event)
        takeOne(other, run, event);
    }
    return text.merge(graph, first);
  }

 private:
  int author;
  std::map<FugueMax::Id, std::variant<FugueMax::Insertion, FugueMax::Id>> slowEdits;

  EventRange mine(uint32_t count) {
    return graph.append(graph.indexOf(deviceOf(author)).value(), count, graph.version()).value();
  }
  FugueMax::Id idOf(Event event) const {
    auto name = graph.nameOf(event);
    return {name.author.bytes[0] - 1, name.number};
  }

  void takeOne(const Replica& other, const EventGraph::Run& run, Event event) {
    auto name = other.graph.nameOf(event);
    if (graph.find(name) != nullptr) return;
    Version parents;
    auto theirs = event == run.events.begin ? run.parents : Version{event - 1};
    for (auto parent: theirs)
      parents.push_back(KJ_ASSERT_NONNULL(graph.find(other.graph.nameOf(parent))));
    std::ranges::sort(parents);
    auto here = graph.append(graph.indexOf(name.author).value(), 1, parents).value();
    other.text.edits().eachIn({event, event + 1}, [&](const TextLog::Piece& piece) {
      if (piece.kind == TextLog::Kind::INSERT) {
        text.edits().insert(here, piece.at, piece.content);
      } else {
        text.edits().erase(here, piece.at);
      }
    });
    auto slowEdit = other.slowEdits.at(idOf(here.begin));
    slowEdits[idOf(here.begin)] = slowEdit;
    if (auto insertion = std::get_if<FugueMax::Insertion>(&slowEdit)) {
      slow.insert(*insertion);
    } else {
      slow.erase(std::get<FugueMax::Id>(slowEdit));
    }
  }
};

struct Luck {
  std::mt19937_64 engine;

  explicit Luck(uint64_t seed): engine(seed) {}
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(engine() % bound); }
};

void editSomewhere(Replica& replica, Luck& luck) {
  constexpr std::string_view WORDS[] = {"a", "bc", "Straße", "日本", "🔥", "xyzzy", "\n"};
  auto length = replica.text.length();
  auto at = luck.below(length + 1);
  auto what = luck.below(length > 60 ? 8 : 5);
  if (what < 3 || length == 0) {
    replica.type(at, WORDS[luck.below(7)]);
  } else if (what % 2 == 0) {
    at = luck.below(length);
    replica.erase(at, 1 + luck.below(kj::min(4u, length - at)));
  } else {
    at = luck.below(length);
    replica.backspace(at, 1 + luck.below(kj::min(3u, at + 1)));
  }
}

TEST_CASE(
    "devices that edit one text at random agree with a slow account of FugueMax at each step") {
  auto seed = GENERATE(range(1, 101));
  CAPTURE(seed);
  Luck luck(static_cast<uint64_t>(seed));
  auto count = 2 + static_cast<int>(luck.below(4));
  std::vector<Replica> replicas;
  for (int i = 0; i < count; ++i) replicas.emplace_back(i);
  for (int step = 0; step < 60; ++step) {
    auto& replica = replicas[luck.below(static_cast<uint32_t>(count))];
    if (luck.below(3) > 0) {
      editSomewhere(replica, luck);
    } else {
      replica.take(replicas[luck.below(static_cast<uint32_t>(count))]);
    }
    REQUIRE(decoded(replica.text.text()) == replica.slow.text());
  }
  for (auto& replica: replicas) {
    for (auto& other: replicas) replica.take(other);
  }
  for (auto& replica: replicas) REQUIRE(replica.text.text() == replicas[0].text.text());
}

TEST_CASE("what a merge says has changed is what has changed") {
  auto seed = GENERATE(range(1, 31));
  CAPTURE(seed);
  Luck luck(static_cast<uint64_t>(seed));
  Replica one(0), other(1);
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 5; ++i) editSomewhere(luck.below(2) ? one : other, luck);
    Rope shown;
    shown.insert(0, one.text.text());
    for (auto& change: one.take(other)) {
      shown.erase(change.at, change.erased);
      shown.insert(change.at, change.inserted);
    }
    REQUIRE(shown.text() == one.text.text());
    if (luck.below(2)) other.take(one);
  }
}

TEST_CASE("runs that two devices type at one place do not interleave, forwards and backwards") {
  Replica one(0), other(1);
  one.type(0, "[]");
  other.take(one);
  one.type(1, "forwards");
  for (char letter: std::string_view("sdrawkcab")) other.type(1, std::string_view(&letter, 1));
  REQUIRE(other.text.text() == "[backwards]");
  one.take(other);
  other.take(one);
  REQUIRE(one.text.text() == other.text.text());
  bool whole = one.text.text() == "[forwardsbackwards]" || one.text.text() == "[backwardsforwards]";
  REQUIRE(whole);
}

TEST_CASE("whose each code point is can be told") {
  Replica one(0), other(1);
  one.type(0, "wrote one");
  other.take(one);
  other.type(5, "n by");
  one.erase(0, 1);
  one.take(other);
  REQUIRE(one.text.text() == "roten by one");
  std::string authors;
  for (auto events: one.text.authorship(one.graph)) {
    for (auto event = events.begin; event < events.end; ++event)
      authors += one.graph.nameOf(event).author == deviceOf(0) ? '1' : '2';
  }
  REQUIRE(authors == "111122221111");
}

// The same edits, merged one by one as they came and all at once.
TEST_CASE("positions beyond the text mean its end, and all devices agree on that") {
  auto seed = GENERATE(range(1, 41));
  CAPTURE(seed);
  Luck luck(static_cast<uint64_t>(seed));
  EventGraph graph;
  Text oneByOne;
  std::vector<Version> seen(3);  // by each author
  uint32_t beyond = 0;
  for (int step = 0; step < 40; ++step) {
    auto author = luck.below(3);
    auto index = graph.indexOf(deviceOf(static_cast<int>(author))).value();
    if (luck.below(3) == 0) seen[author] = graph.version();
    auto many = 1 + luck.below(5);
    auto at = luck.below(30);
    auto events = graph.append(index, many, seen[author]).value();
    beyond += at > oneByOne.length();
    if (luck.below(2)) {
      oneByOne.edits().insert(events, at, std::string(many, static_cast<char>('a' + step % 26)));
    } else {
      for (auto event = events.begin; event < events.end; ++event)
        oneByOne.edits().erase({event, event + 1}, at >= many ? at - (event - events.begin) : at);
    }
    oneByOne.merge(graph, events.begin);
    seen[author] = {events.end - 1};
  }
  REQUIRE(beyond > 0);
  Text atOnce;
  atOnce.edits() = oneByOne.edits();
  atOnce.merge(graph, 0);
  REQUIRE(atOnce.text() == oneByOne.text());
}

}  // namespace
}  // namespace hearth::storage

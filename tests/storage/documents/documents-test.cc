#include "tests/storage/log/site.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>

namespace hearth::storage {
namespace {

Tree s(const char* text) { return {std::string(text)}; }
Tree n(int64_t number) { return {number}; }

struct Circle: TwoSites {
  Documents::Handle open(Site& site, const char* name = "notes") {
    auto opened = site.documents.open(name).wait(uv.waitScope);
    REQUIRE(opened.has_value());
    return kj::mv(*opened);
  }
  kj::Promise<Result<void>> setting(Documents::Handle& document, Path path, Tree tree) {
    return document->change([path, tree](Draft& draft) { return draft.set(path, tree); });
  }
  void set(Documents::Handle& document, Path path, Tree tree) {
    auto done = setting(document, path, tree).wait(uv.waitScope);
    REQUIRE(done.has_value());
  }
  Tree at(Documents::Handle& document, Path path) {
    auto tree = treeAt(document->document(), path);
    return tree ? *tree : Tree();
  }
  bool undo(Documents::Handle& document) { return document->undo().wait(uv.waitScope).value(); }
  bool redo(Documents::Handle& document) { return document->redo().wait(uv.waitScope).value(); }
  void exchange() {
    ben->takeAllOf(*anna, uv.waitScope);
    anna->takeAllOf(*ben, uv.waitScope);
  }
};

TEST_CASE("what a document was told is there after a restart") {
  Circle circle;
  {
    auto notes = circle.open(*circle.anna);
    circle.set(notes, {"title"}, s("milk"));
  }
  circle.restart(circle.anna);
  auto notes = circle.open(*circle.anna);
  REQUIRE(circle.at(notes, {"title"}) == s("milk"));
  REQUIRE(circle.anna->documents.names().wait(circle.uv.waitScope) ==
      std::vector<std::string>{"notes"});
}

TEST_CASE(
    "two devices that write at the same time have the same afterwards, whether it is open or not") {
  Circle circle;
  auto hers = circle.open(*circle.anna);
  circle.set(hers, {"a"}, n(1));
  {
    auto his = circle.open(*circle.ben);
    circle.set(his, {"b"}, n(2));
  }
  circle.restart(circle.ben);
  circle.exchange();
  auto his = circle.open(*circle.ben);
  REQUIRE(treeOf(his->document()) == Tree{Tree::Map{{"a", n(1)}, {"b", n(2)}}});
  REQUIRE(treeOf(hers->document()) == treeOf(his->document()));
}

TEST_CASE(
    "changes that come while the disk is busy share an entry, and each is told when it is on disk") {
  Circle circle;
  auto notes = circle.open(*circle.anna);
  std::vector<kj::Promise<Result<void>>> changes;
  for (int i = 0; i < 100; ++i) changes.push_back(circle.setting(notes, {std::to_string(i)}, n(i)));
  for (auto& change: changes) REQUIRE(change.wait(circle.uv.waitScope).has_value());
  REQUIRE(circle.anna->log.items(ownDocuments()).size() <= 2);
  circle.restart(circle.ben);
  circle.exchange();
  auto his = circle.open(*circle.ben);
  REQUIRE(std::get<Tree::Map>(treeOf(his->document()).value).size() == 100);
}

TEST_CASE("a change that the disk refuses has not happened, and the next one does") {
  Circle circle;
  auto notes = circle.open(*circle.anna);
  circle.set(notes, {"a"}, n(1));
  circle.annas.disk.full = true;
  bool refused = false;
  circle.setting(notes, {"a"}, n(2))
      .then([](Result<void>) {}, [&](kj::Exception&&) { refused = true; })
      .wait(circle.uv.waitScope);
  REQUIRE(refused);
  circle.annas.disk.full = false;
  circle.set(notes, {"b"}, n(3));
  REQUIRE(treeOf(notes->document()) == Tree{Tree::Map{{"a", n(1)}, {"b", n(3)}}});
}

TEST_CASE("own changes are taken back and made again, also after a restart, and others' stay") {
  Circle circle;
  auto hers = circle.open(*circle.anna);
  circle.set(hers, {"a"}, n(1));
  circle.set(hers, {"a"}, n(2));
  {
    auto his = circle.open(*circle.ben);
    circle.set(his, {"b"}, n(9));
  }
  circle.exchange();
  REQUIRE(circle.undo(hers));
  REQUIRE(circle.at(hers, {"a"}) == n(1));
  { auto gone = kj::mv(hers); }
  circle.restart(circle.anna);
  auto again = circle.open(*circle.anna);
  REQUIRE(circle.undo(again));
  REQUIRE(treeOf(again->document()) == Tree{Tree::Map{{"b", n(9)}}});
  REQUIRE_FALSE(circle.undo(again));
  REQUIRE(circle.redo(again));
  REQUIRE(circle.redo(again));
  REQUIRE(circle.at(again, {"a"}) == n(2));
  REQUIRE_FALSE(circle.redo(again));

  SECTION("what is made again can be taken back") {
    REQUIRE(circle.undo(again));
    REQUIRE(circle.at(again, {"a"}) == n(1));
  }
  SECTION("a new change ends what could be made again") {
    REQUIRE(circle.undo(again));
    circle.set(again, {"c"}, n(3));
    REQUIRE_FALSE(circle.redo(again));
  }
}

TEST_CASE("a document with a long history is written down whole and read from there") {
  Circle circle;
  {
    auto notes = circle.open(*circle.anna);
    for (size_t i = 0; i < LiveDocument::TAIL_ENTRIES_MAX + 50; ++i)
      circle.set(notes, {"a"}, n(static_cast<int64_t>(i)));
  }
  circle.restart(circle.anna);
  auto notes = circle.open(*circle.anna);
  REQUIRE(circle.at(notes, {"a"}) == n(LiveDocument::TAIL_ENTRIES_MAX + 49));
  auto rows = circle.anna->store->read([](Database& db) {
    auto select = db.query("SELECT count(*) FROM snapshots");
    select.step();
    return select.number(0);
  });
  REQUIRE(rows.wait(circle.uv.waitScope) > 0);
  REQUIRE(notes->document().graph().size() == LiveDocument::TAIL_ENTRIES_MAX + 50);
}

TEST_CASE("changes whose past comes later are seen when it has come") {
  Circle circle;
  auto hers = circle.open(*circle.anna);
  circle.set(hers, {"text"}, {Tree::Written{"one"}});
  circle.exchange();
  auto his = circle.open(*circle.ben);
  circle.set(his, {"text"}, s("one two"));
  // A third device hears from Ben what he wrote, and only then from Anna.
  Lot claras(circle.village, 3);
  Site clara(claras, circle.uv.waitScope);
  auto there = circle.open(clara);
  auto all = circle.ben->envelopes(ownDocuments(), circle.uv.waitScope);
  REQUIRE(all.size() == 2);
  for (auto envelope = all.rbegin(); envelope != all.rend(); ++envelope)
    REQUIRE(clara.log.take(kj::mv(*envelope), circle.bens.who.self())
            .wait(circle.uv.waitScope)
            .has_value());
  REQUIRE(circle.at(there, {"text"}) == Tree{Tree::Written{"one two"}});
}

TEST_CASE("a change whose past has not come does not keep a document from being written down") {
  Circle circle;
  auto hers = circle.open(*circle.anna);
  circle.set(hers, {"text"}, {Tree::Written{"one"}});
  circle.exchange();
  auto his = circle.open(*circle.ben);
  circle.set(his, {"text"}, s("one two"));
  Lot claras(circle.village, 3);
  auto clara = kj::heap<Site>(claras, circle.uv.waitScope);
  auto all = circle.ben->envelopes(ownDocuments(), circle.uv.waitScope);
  REQUIRE(all.size() == 2);
  auto hear = [&](crypto::Buffer& envelope) {
    REQUIRE(clara->log.take(kj::mv(envelope), circle.bens.who.self())
            .wait(circle.uv.waitScope)
            .has_value());
  };
  {
    auto there = circle.open(*clara);
    hear(all[1]);
    for (size_t i = 0; i < LiveDocument::TAIL_ENTRIES_MAX + 50; ++i)
      circle.set(there, {"a"}, n(static_cast<int64_t>(i)));
  }
  auto snapshots = clara->store->read([](Database& db) {
    auto select = db.query("SELECT count(*) FROM snapshots");
    select.step();
    return select.number(0);
  });
  REQUIRE(snapshots.wait(circle.uv.waitScope) > 0);
  circle.restart(clara);
  auto there = circle.open(*clara);
  REQUIRE(circle.at(there, {"text"}) == Tree());
  hear(all[0]);
  REQUIRE(circle.at(there, {"text"}) == Tree{Tree::Written{"one two"}});
}

TEST_CASE("changes that find no room to wait are read again when what they build on has come") {
  Circle circle;
  auto hers = circle.open(*circle.anna);
  std::mt19937_64 luck(1);
  for (int i = 0; i < 20; ++i) {
    std::string noise(1 << 20, ' ');
    for (auto& byte: noise) byte = static_cast<char>('0' + luck() % 64);
    circle.set(hers, {std::to_string(i)}, {noise});
  }
  // Ben builds on what nobody has yet, and is heard before Anna.
  circle.exchange();
  auto his = circle.open(*circle.ben);
  for (int i = 0; i < 20; ++i) {
    std::string noise(1 << 20, ' ');
    for (auto& byte: noise) byte = static_cast<char>('0' + luck() % 64);
    circle.set(his, {"b" + std::to_string(i)}, {noise});
  }
  Lot claras(circle.village, 3);
  Site clara(claras, circle.uv.waitScope);
  auto there = circle.open(clara);
  auto all = circle.ben->envelopes(ownDocuments(), circle.uv.waitScope);
  std::stable_partition(all.begin(), all.end(), [&](auto& envelope) {
    auto entry = Entry::read(kj::heapArray<kj::byte>(envelope)).value();
    return entry.head.author == circle.bens.who.self();
  });
  for (auto& envelope: all)
    REQUIRE(clara.log.take(kj::mv(envelope), circle.bens.who.self())
            .wait(circle.uv.waitScope)
            .has_value());
  there->ready().wait(circle.uv.waitScope);
  REQUIRE(treeOf(there->document()) == treeOf(his->document()));
}

TEST_CASE("nobody says in an entry of his what somebody else has done") {
  Circle circle;
  Document forged;
  Draft draft(forged);
  REQUIRE(draft.set({"title"}, s("forged")).has_value());
  REQUIRE(forged.commit(circle.annas.who.self(), draft.ops(), 0).has_value());
  Content content{{1, 0, "notes"}, encode(forged.since({})[0])};
  REQUIRE(circle.ben->log.append(ownDocuments(), kj::mv(content))
          .wait(circle.uv.waitScope)
          .has_value());
  auto hers = circle.open(*circle.anna);
  circle.exchange();
  REQUIRE(circle.at(hers, {"title"}) == Tree());
  circle.set(hers, {"title"}, s("milk"));
  circle.exchange();
  auto his = circle.open(*circle.ben);
  REQUIRE(circle.at(his, {"title"}) == s("milk"));
}

TEST_CASE("an undo that the disk refuses has not happened") {
  Circle circle;
  auto notes = circle.open(*circle.anna);
  circle.set(notes, {"a"}, n(1));
  circle.set(notes, {"a"}, n(2));
  circle.annas.who.canWrite = false;
  REQUIRE_FALSE(notes->undo().wait(circle.uv.waitScope).has_value());
  circle.annas.who.canWrite = true;
  notes->ready().wait(circle.uv.waitScope);
  REQUIRE(circle.at(notes, {"a"}) == n(2));
  REQUIRE(circle.undo(notes));
  REQUIRE(circle.at(notes, {"a"}) == n(1));
}

TEST_CASE("whoever waits for a change is told of it") {
  Circle circle;
  auto his = circle.open(*circle.ben);
  auto told = his->changed();
  REQUIRE_FALSE(told.poll(circle.uv.waitScope));
  auto hers = circle.open(*circle.anna);
  circle.set(hers, {"a"}, n(1));
  circle.exchange();
  REQUIRE(told.poll(circle.uv.waitScope));
}

TEST_CASE("many documents are open one after the other, and few stay in memory") {
  Circle circle;
  for (int i = 0; i < 100; ++i) {
    auto document = circle.open(*circle.anna, std::to_string(i).c_str());
    circle.set(document, {"a"}, n(i));
  }
  REQUIRE(circle.anna->documents.inMemory() <= Documents::IDLE_MAX);
  auto document = circle.open(*circle.anna, "3");
  REQUIRE(circle.at(document, {"a"}) == n(3));
}

TEST_CASE("a name that none can have is refused") {
  Circle circle;
  for (auto& name:
      {std::string(), std::string(256, 'x'), std::string("\xff"), std::string(1, '\0')})
    REQUIRE_FALSE(circle.anna->documents.open(name).wait(circle.uv.waitScope).has_value());
}

}  // namespace
}  // namespace hearth::storage

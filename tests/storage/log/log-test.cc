#include "tests/storage/log/site.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::storage {
namespace {

const auto NOTES_OF = ownDocuments();

Content contentOf(kj::StringPtr text) {
  return {{1, 0, "topic"}, kj::heapArray<kj::byte>(text.asBytes())};
}

struct Circle: TwoSites {
  void write(Site& site, kj::StringPtr text) {
    auto done = site.log.append(NOTES_OF, contentOf(text)).wait(uv.waitScope);
    REQUIRE(done.has_value());
  }
  Result<bool> give(Site& to, crypto::Buffer envelope) {
    return to.log.take(kj::mv(envelope), bens.who.self()).wait(uv.waitScope);
  }
  std::vector<crypto::Buffer> of(Site& site) { return site.envelopes(NOTES_OF, uv.waitScope); }
};

TEST_CASE(
    "an entry says what was put into it, to whoever has the key, under its author's signature") {
  Village village;
  Villager anna(village, 1);
  auto key = KJ_ASSERT_NONNULL(anna.keyOf(village.epoch, NOTES_OF));
  EntryHead head{NOTES_OF, anna.self(), 0, {}, 5, village.epoch};
  auto entry = Entry::make(head, key, {}, kj::StringPtr("words").asBytes(), anna.signSecret());
  auto read = Entry::read(kj::heapArray<kj::byte>(entry.envelope));
  REQUIRE(read.has_value());
  REQUIRE(read->head == head);
  REQUIRE(read->hash == entry.hash);
  REQUIRE(read->verify(KJ_ASSERT_NONNULL(anna.signerOf(anna.self()))).has_value());
  REQUIRE(kj::str(read->open(key)->asChars()) == "words");

  SECTION("one bit that is another is noticed, wherever it is") {
    for (size_t i = 0; i < entry.envelope.size(); ++i) {
      auto changed = kj::heapArray<kj::byte>(entry.envelope);
      changed[i] ^= 1;
      auto bad = Entry::read(kj::mv(changed));
      if (!bad) continue;
      INFO("byte " << i);
      REQUIRE_FALSE(bad->verify(KJ_ASSERT_NONNULL(anna.signerOf(anna.self()))).has_value());
    }
  }
  SECTION("one that is cut off is none") {
    for (size_t i = 0; i < entry.envelope.size(); ++i)
      REQUIRE_FALSE(Entry::read(kj::heapArray<kj::byte>(entry.envelope.slice(0, i))).has_value());
  }
}

TEST_CASE("what was appended is there after a restart, and the author goes on behind it") {
  Circle circle;
  circle.write(*circle.anna, "one");
  circle.write(*circle.anna, "two");
  circle.restart(circle.anna);
  REQUIRE(circle.anna->log.items(NOTES_OF).size() == 2);
  circle.write(*circle.anna, "three");
  circle.ben->takeAllOf(*circle.anna, circle.uv.waitScope);
  REQUIRE(circle.ben->log.items(NOTES_OF).size() == 3);
}

TEST_CASE("an entry that comes twice counts once") {
  Circle circle;
  circle.write(*circle.anna, "one");
  auto entry = kj::mv(circle.of(*circle.anna)[0]);
  REQUIRE(circle.give(*circle.ben, kj::heapArray<kj::byte>(entry)).value());
  REQUIRE_FALSE(circle.give(*circle.ben, kj::mv(entry)).value());
}

TEST_CASE("an entry whose author has one before it has to wait for that") {
  Circle circle;
  circle.write(*circle.anna, "one");
  circle.write(*circle.anna, "two");
  auto both = circle.of(*circle.anna);
  REQUIRE(circle.give(*circle.ben, kj::heapArray<kj::byte>(both[1])).error().code == Errc::STALE);
  REQUIRE(circle.give(*circle.ben, kj::mv(both[0])).value());
  REQUIRE(circle.give(*circle.ben, kj::mv(both[1])).value());
}

TEST_CASE("the entry of somebody who never was of the circle is refused") {
  Circle circle;
  circle.write(*circle.anna, "one");
  circle.village.signers.erase(circle.annas.who.self());
  auto refused = circle.give(*circle.ben, kj::mv(circle.of(*circle.anna)[0]));
  REQUIRE(refused.error().code == Errc::UNKNOWN_PEER);
}

TEST_CASE("an author that writes two entries under one number is found out") {
  Circle circle;
  circle.write(*circle.anna, "one");
  auto before = circle.annas.disk.contents();
  circle.write(*circle.anna, "two");
  circle.ben->takeAllOf(*circle.anna, circle.uv.waitScope);
  circle.anna = nullptr;
  circle.annas.disk.restore(before);  // an older copy of her disk is put back
  circle.anna = kj::heap<Site>(circle.annas, circle.uv.waitScope);
  REQUIRE(circle.anna->log.items(NOTES_OF).size() == 1);

  SECTION("but not when she gets back first what she had forgotten") {
    circle.anna->takeAllOf(*circle.ben, circle.uv.waitScope);
    circle.write(*circle.anna, "three");
    circle.ben->takeAllOf(*circle.anna, circle.uv.waitScope);
    REQUIRE(circle.ben->log.items(NOTES_OF).size() == 3);
  }
  SECTION("when she goes on without") {
    circle.write(*circle.anna, "another two");
    auto all = circle.of(*circle.anna);
    REQUIRE(circle.give(*circle.ben, kj::mv(all[1])).error().code == Errc::EQUIVOCATION);
  }
}

TEST_CASE("a device without keys stores what it cannot read, and reads it once it has them") {
  Circle circle;
  circle.write(*circle.anna, "one");
  circle.bens.who.canRead = false;
  circle.ben->takeAllOf(*circle.anna, circle.uv.waitScope);
  auto topics = [&]() {
    return circle.ben->store->read([](Database& db) { return entries::topics(db, NOTES_OF); })
        .wait(circle.uv.waitScope);
  };
  REQUIRE(topics().empty());
  auto refused = circle.ben->log.append(NOTES_OF, contentOf("x")).wait(circle.uv.waitScope);
  REQUIRE(refused.error().code == Errc::EPOCH_UNKNOWN);
  circle.bens.who.canRead = true;
  circle.ben->log.readAgain().wait(circle.uv.waitScope);
  REQUIRE(topics() == std::vector<std::string>{"topic"});
}

TEST_CASE(
    "a disk that is full loses nothing that was acknowledged, and the next entry goes on behind it") {
  Circle circle;
  circle.write(*circle.anna, "one");
  circle.annas.disk.full = true;
  bool refused = false;
  circle.anna->log.append(NOTES_OF, contentOf("two"))
      .then([](Result<void>) {}, [&](kj::Exception&&) { refused = true; })
      .wait(circle.uv.waitScope);
  REQUIRE(refused);
  circle.annas.disk.full = false;
  circle.write(*circle.anna, "three");
  circle.ben->takeAllOf(*circle.anna, circle.uv.waitScope);
  REQUIRE(circle.ben->log.items(NOTES_OF).size() == 2);
}

TEST_CASE("entries that are gone from the middle of the database are noticed and taken again") {
  Circle circle;
  for (auto text: {"one", "two", "three"}) circle.write(*circle.anna, text);
  circle.ben->takeAllOf(*circle.anna, circle.uv.waitScope);
  circle.ben->store->write([](Database& db) { db.run("DELETE FROM entries WHERE seq = 1"); })
      .wait(circle.uv.waitScope);
  circle.restart(circle.ben);
  REQUIRE(circle.ben->log.items(NOTES_OF).size() == 2);
  circle.ben->takeAllOf(*circle.anna, circle.uv.waitScope);
  REQUIRE(circle.ben->log.items(NOTES_OF).size() == 3);
}

TEST_CASE("a device writes nothing where entries of its own are gone, until it has them again") {
  Circle circle;
  for (auto text: {"one", "two", "three"}) circle.write(*circle.anna, text);
  circle.ben->takeAllOf(*circle.anna, circle.uv.waitScope);
  circle.anna->store->write([](Database& db) { db.run("DELETE FROM entries WHERE seq = 2"); })
      .wait(circle.uv.waitScope);
  circle.restart(circle.anna);
  auto refused = circle.anna->log.append(NOTES_OF, contentOf("four")).wait(circle.uv.waitScope);
  REQUIRE(refused.error().code == Errc::ROLLBACK);
  circle.anna->takeAllOf(*circle.ben, circle.uv.waitScope);
  circle.write(*circle.anna, "four");
}

TEST_CASE(
    "a device that knows that it wrote more once writes nothing there until it has that again") {
  Circle circle;
  auto older = circle.annas.disk.contents();
  for (auto text: {"one", "two"}) circle.write(*circle.anna, text);
  circle.ben->takeAllOf(*circle.anna, circle.uv.waitScope);
  circle.anna = nullptr;
  circle.annas.disk.restore(older);
  circle.anna = kj::heap<Site>(circle.annas, circle.uv.waitScope);
  auto& log = circle.anna->log;
  log.hadOnce(NOTES_OF, 2);
  REQUIRE(log.ownMissing() == 2);
  REQUIRE(log.collections().size() == 1);  // it asks for it, though it has nothing of it
  auto append = [&]() {
    return log.append(NOTES_OF, contentOf("three")).wait(circle.uv.waitScope);
  };
  REQUIRE(append().error().code == Errc::ROLLBACK);
  auto both = circle.of(*circle.ben);
  REQUIRE(circle.give(*circle.anna, kj::mv(both[0])).value());
  REQUIRE(append().error().code == Errc::ROLLBACK);
  REQUIRE(circle.give(*circle.anna, kj::mv(both[1])).value());
  REQUIRE(append().has_value());
  REQUIRE(log.ownMissing() == 0);
}

TEST_CASE("an entry that two bring at once is told to each when it is on disk, and is new once") {
  Circle circle;
  circle.write(*circle.anna, "one");
  auto entry = kj::mv(circle.of(*circle.anna)[0]);
  auto first = circle.ben->log.take(kj::heapArray<kj::byte>(entry), circle.annas.who.self());
  auto second = circle.ben->log.take(kj::mv(entry), circle.bens.who.self());
  REQUIRE(first.wait(circle.uv.waitScope).value());
  REQUIRE_FALSE(second.wait(circle.uv.waitScope).value());

  SECTION("and when the disk refuses it, both hear of it") {
    circle.write(*circle.anna, "two");
    auto next = kj::mv(circle.of(*circle.anna)[1]);
    circle.bens.disk.full = true;
    int refused = 0;
    std::vector<kj::Promise<void>> takes;
    for (int i = 0; i < 2; ++i)
      takes.push_back(circle.ben->log.take(kj::heapArray<kj::byte>(next), circle.annas.who.self())
              .then([](Result<bool>) {}, [&](kj::Exception&&) { ++refused; }));
    for (auto& take: takes) take.wait(circle.uv.waitScope);
    REQUIRE(refused == 2);
    circle.bens.disk.full = false;
    REQUIRE(circle.give(*circle.ben, kj::mv(next)).value());
  }
}

TEST_CASE("an author's entries grow newer") {
  Circle circle;
  circle.write(*circle.anna, "one");
  circle.ben->takeAllOf(*circle.anna, circle.uv.waitScope);
  auto first = Entry::read(kj::mv(circle.of(*circle.anna)[0])).value();
  auto& anna = circle.annas.who;
  EntryHead head{NOTES_OF, anna.self(), 1, first.hash, first.head.time, circle.village.epoch};
  auto key = KJ_ASSERT_NONNULL(anna.keyOf(circle.village.epoch, NOTES_OF));
  auto made = [&]() {
    return Entry::make(head, key, {}, contentOf("two").encode(), anna.signSecret()).envelope;
  };
  REQUIRE(circle.give(*circle.ben, made()).error().code == Errc::BAD_FORMAT);
  ++head.time;
  REQUIRE(circle.give(*circle.ben, made()).value());
}

TEST_CASE("whoever is asked for a collection that is not there makes none") {
  Circle circle;
  REQUIRE(circle.anna->log.items(crypto::CollectionId()).size() == 0);
  REQUIRE(circle.anna->log.collections().empty());
}

TEST_CASE("heads that somebody has changed keep the log closed") {
  Circle circle;
  circle.write(*circle.anna, "one");
  circle.anna->store->write([](Database& db) { db.run("UPDATE heads SET entries = 9"); })
      .wait(circle.uv.waitScope);
  Log again({circle.annas.clock, circle.anna->home.entropy, *circle.anna->store, circle.annas.who});
  REQUIRE(again.load().wait(circle.uv.waitScope).error().code == Errc::INTEGRITY_FAILED);
}

TEST_CASE("the history of heads is written anew before it grows without end") {
  Circle circle;
  std::vector<kj::Promise<Result<void>>> writes;
  for (size_t i = 0; i < entries::HISTORY_MAX + 10; ++i) {
    writes.push_back(circle.anna->log.append(NOTES_OF, contentOf("x")));
    if (writes.size() < 1'000) continue;
    for (auto& write: writes) REQUIRE(write.wait(circle.uv.waitScope).has_value());
    writes.clear();
  }
  for (auto& write: writes) REQUIRE(write.wait(circle.uv.waitScope).has_value());
  circle.restart(circle.anna);
  REQUIRE(circle.anna->log.items(NOTES_OF).size() == entries::HISTORY_MAX + 10);
}

}  // namespace
}  // namespace hearth::storage

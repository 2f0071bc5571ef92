#include "core/loop/uv-event-port.h"
#include "simulator/disk/sim-disk.h"
#include "tests/storage/home.h"

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

namespace hearth::storage {
namespace {

// The store over a disk that can fail, with either executor.
template <typename ExecutorType = InlineExecutor>
struct Shop {
  sim::SimDisk disk{sim::Chance(1)};
  Home home{disk.directory()};
  UvLoop uv;
  ExecutorType executor;
  kj::Own<Store> store = kj::heap<Store>(executor, home.open(NOTES));

  kj::Promise<void> note(int64_t number) {
    return store->write([number](Database& db) { addNote(db, number); });
  }
  int64_t count() {
    return store->read([](Database& db) { return countNotes(db); }).wait(uv.waitScope);
  }
  void wait(kj::Promise<void> promise) { promise.wait(uv.waitScope); }
};

using Type = kj::Exception::Type;

kj::Maybe<Type> failureOf(kj::Promise<void> promise, kj::WaitScope& scope) {
  auto none = []() -> kj::Maybe<Type> { return nullptr; };
  return promise.then(none, [](kj::Exception&& e) -> kj::Maybe<Type> { return e.getType(); })
      .wait(scope);
}

TEMPLATE_TEST_CASE("a read sees every write before it", "", InlineExecutor, ThreadExecutor) {
  Shop<TestType> shop;
  auto first = shop.note(1);
  auto between = shop.store->read([](Database& db) { return countNotes(db); });
  auto second = shop.note(2);
  shop.wait(kj::mv(first));
  shop.wait(kj::mv(second));
  REQUIRE(between.wait(shop.uv.waitScope) == 1);
  REQUIRE(shop.count() == 2);
}

TEMPLATE_TEST_CASE(
    "a hundred writes of one turn share one commit", "", InlineExecutor, ThreadExecutor) {
  Shop<TestType> shop;
  shop.wait(shop.note(1'000));
  auto syncsBefore = shop.disk.syncs;
  kj::Vector<kj::Promise<void>> writes;
  for (int i = 0; i < 100; ++i) writes.add(shop.note(i));
  shop.wait(kj::joinPromises(writes.releaseAsArray()));
  REQUIRE(shop.store->commits() == 2);
  REQUIRE(shop.disk.syncs - syncsBefore == 1);
  REQUIRE(shop.count() == 101);
}

TEMPLATE_TEST_CASE(
    "whoever waits for a change is told of a commit that changes something, and of nothing else",
    "", InlineExecutor, ThreadExecutor) {
  Shop<TestType> shop;
  bool isTold = false;
  auto told = shop.store->changed().then([&]() { isTold = true; }).eagerlyEvaluate(nullptr);
  REQUIRE(shop.count() == 0);
  shop.wait(shop.store->write([](Database&) {}));
  shop.uv.waitScope.poll();
  REQUIRE(!isTold);
  shop.wait(shop.note(1));
  shop.uv.waitScope.poll();
  REQUIRE(isTold);
  auto next = shop.store->changed();
  REQUIRE(!next.poll(shop.uv.waitScope));
  shop.wait(shop.note(2));
  REQUIRE(next.poll(shop.uv.waitScope));
}

TEST_CASE("writes asked for while a commit is under way share the next one") {
  Shop<ThreadExecutor> shop;
  kj::MutexGuarded<bool> begun(false), mayEnd(false);
  auto slow = shop.store->write([&](Database& db) {
    addNote(db, 1'000);
    *begun.lockExclusive() = true;
    mayEnd.when([](bool yes) { return yes; }, [](bool&) {});
  });
  shop.uv.waitScope.poll();
  begun.when([](bool yes) { return yes; }, [](bool&) {});
  kj::Vector<kj::Promise<void>> writes;
  for (int i = 0; i < 50; ++i) writes.add(shop.note(i));
  shop.uv.waitScope.poll();
  *mayEnd.lockExclusive() = true;
  shop.wait(kj::joinPromises(writes.releaseAsArray()));
  shop.wait(kj::mv(slow));
  REQUIRE(shop.store->commits() == 2);
}

TEMPLATE_TEST_CASE(
    "a write that throws is undone alone and fails alone", "", InlineExecutor, ThreadExecutor) {
  Shop<TestType> shop;
  auto before = shop.note(1);
  auto bad = shop.store->write([](Database& db) {
    addNote(db, 2);
    KJ_FAIL_REQUIRE("on purpose");
  });
  auto after = shop.note(3);
  REQUIRE(failureOf(kj::mv(bad), shop.uv.waitScope) == Type::FAILED);
  shop.wait(kj::mv(before));
  shop.wait(kj::mv(after));
  REQUIRE(shop.count() == 2);
  REQUIRE(shop.store->commits() == 1);
}

TEST_CASE("a write that is refused by a Result is undone and gives the error") {
  Shop shop;
  auto refused = shop.store
                     ->write([](Database& db) -> Result<int> {
                       addNote(db, 1);
                       return no(Errc::STALE, "on purpose");
                     })
                     .wait(shop.uv.waitScope);
  REQUIRE(refused.error().code == Errc::STALE);
  REQUIRE(shop.count() == 0);
}

TEST_CASE("a write gives what it returns") {
  Shop shop;
  auto result = shop.store->write([](Database& db) -> Result<kj::String> {
    addNote(db, 1);
    return kj::str("done");
  });
  REQUIRE(result.wait(shop.uv.waitScope).value() == "done");
}

TEST_CASE("a read that changes rows is undone and fails") {
  Shop shop;
  auto bad = shop.store->read([](Database& db) { addNote(db, 1); });
  REQUIRE(failureOf(kj::mv(bad), shop.uv.waitScope) == Type::FAILED);
  REQUIRE(shop.count() == 0);
}

TEST_CASE("reads alone commit nothing") {
  Shop shop;
  auto syncsBefore = shop.disk.syncs;
  shop.count();
  REQUIRE(shop.store->commits() == 0);
  REQUIRE(shop.disk.syncs == syncsBefore);
}

TEST_CASE("a write whose promise is dropped is done") {
  Shop shop;
  { auto dropped = shop.note(1); }
  REQUIRE(shop.count() == 1);
}

TEST_CASE("work past the queue's limit is refused as overloaded") {
  Shop shop;
  kj::Vector<kj::Promise<void>> writes;
  for (size_t i = 0; i < Store::QUEUE_MAX; ++i) writes.add(shop.note(static_cast<int64_t>(i)));
  REQUIRE(failureOf(shop.note(-1), shop.uv.waitScope) == Type::OVERLOADED);
  shop.wait(kj::joinPromises(writes.releaseAsArray()));
  REQUIRE(shop.count() == Store::QUEUE_MAX);
  REQUIRE(shop.store->commits() == Store::QUEUE_MAX / Store::BATCH_MAX);
}

TEMPLATE_TEST_CASE(
    "a store that is destroyed finishes its work first", "", InlineExecutor, ThreadExecutor) {
  Shop<TestType> shop;
  kj::Vector<kj::Promise<void>> writes;
  for (int i = 0; i < 1'000; ++i) writes.add(shop.note(i));
  shop.uv.waitScope.poll(3);  // some of it may be under way
  shop.store = nullptr;
  shop.wait(kj::joinPromises(writes.releaseAsArray()));
  REQUIRE(countNotes(*shop.home.open(NOTES)) == 1'000);
}

TEST_CASE("a store that was closed leaves no log behind") {
  Shop shop;
  shop.wait(shop.note(1));
  shop.store = nullptr;
  REQUIRE(shop.disk.contents().size() == 1);
}

TEST_CASE("a checkpoint takes its turn among the work") {
  Shop shop;
  auto before = shop.note(1);
  auto checkpoint = shop.store->checkpoint();
  shop.wait(kj::mv(checkpoint));
  REQUIRE(shop.disk.contents().at("hearth.db-wal").size() == 0);
  shop.wait(kj::mv(before));
  shop.wait(shop.note(2));
  REQUIRE(shop.count() == 2);
}

TEST_CASE("writes on a full disk fail as overloaded and leave nothing; later ones stand") {
  Shop shop;
  shop.wait(shop.note(1));
  shop.disk.full = true;
  auto first = shop.note(2), second = shop.note(3);
  REQUIRE(failureOf(kj::mv(first), shop.uv.waitScope) == Type::OVERLOADED);
  REQUIRE(failureOf(kj::mv(second), shop.uv.waitScope) == Type::OVERLOADED);
  REQUIRE(shop.count() == 1);
  shop.disk.full = false;
  shop.wait(shop.note(4));
  REQUIRE(shop.count() == 2);
}

TEST_CASE("a write whose sync fails is not acknowledged and leaves nothing; later ones stand") {
  Shop shop;
  shop.wait(shop.note(1));
  shop.disk.failing = true;
  REQUIRE(failureOf(shop.note(2), shop.uv.waitScope) == Type::FAILED);
  REQUIRE(shop.count() == 1);
  shop.disk.failing = false;
  shop.wait(shop.note(3));
  REQUIRE(shop.count() == 2);
  REQUIRE(countNotes(*Home(directoryWith(shop.disk.afterPowerCut())).open(NOTES)) == 2);
}

}  // namespace
}  // namespace hearth::storage

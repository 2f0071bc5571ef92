#include "storage/tables/counters.h"
#include "storage/tables/facts.h"
#include "storage/tables/jobs.h"
#include "storage/tables/ops.h"
#include "storage/tables/peers.h"
#include "storage/tables/settings.h"
#include "tests/storage/home.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::storage {
namespace {

DeviceId device(kj::byte fill) {
  DeviceId id;
  memset(id.bytes, fill, sizeof(id.bytes));
  return id;
}

crypto::Buffer bytesOf(kj::StringPtr text) { return kj::heapArray<kj::byte>(text.asBytes()); }

// Does something in a transaction of its own.
template <typename F>
auto committed(Database& db, F&& f) {
  Transaction all(db);
  auto result = f();
  all.commit();
  return result;
}

TEST_CASE("a setting is replaced, and an unknown one is absent") {
  Home home;
  auto db = home.open();
  settings::set(*db, "circle", kj::StringPtr("one").asBytes());
  settings::set(*db, "circle", kj::StringPtr("two").asBytes());
  REQUIRE(KJ_ASSERT_NONNULL(settings::get(*db, "circle")) == bytesOf("two"));
  REQUIRE(settings::get(*db, "name") == nullptr);
}

TEST_CASE("an empty setting is not an absent one") {
  Home home;
  auto db = home.open();
  settings::set(*db, "empty", nullptr);
  REQUIRE(KJ_ASSERT_NONNULL(settings::get(*db, "empty")).size() == 0);
}

TEST_CASE("a setting over its limit is the caller's mistake") {
  Home home;
  auto db = home.open();
  auto large = kj::heapArray<kj::byte>(settings::VALUE_BYTES_MAX + 1);
  REQUIRE_THROWS_AS(settings::set(*db, "large", large), kj::Exception);
}

TEST_CASE("ops come back in the order in which they were stored, after a restart too") {
  Home home;
  {
    auto db = home.open();
    committed(*db, [&]() { return ops::append(*db, kj::StringPtr("genesis").asBytes()), 0; });
    committed(*db, [&]() { return ops::append(*db, kj::StringPtr("add").asBytes()), 0; });
  }
  auto db = home.open();
  committed(*db, [&]() { return ops::append(*db, kj::StringPtr("remove").asBytes()), 0; });
  auto all = ops::all(*db);
  REQUIRE(all.has_value());
  REQUIRE(all->size() == 3);
  REQUIRE((*all)[0] == bytesOf("genesis"));
  REQUIRE((*all)[2] == bytesOf("remove"));
}

TEST_CASE("own counters are reserved in blocks and never given out twice") {
  Home home;
  auto reserve = [&]() {
    auto db = home.open();
    return committed(*db, [&]() { return counters::reserveInitCounters(*db); });
  };
  REQUIRE(reserve() == 1);
  REQUIRE(reserve() == 1 + counters::INIT_COUNTER_BLOCK);
  REQUIRE(reserve() == 1 + 2 * counters::INIT_COUNTER_BLOCK);
}

TEST_CASE("the greatest accepted counter of each device is remembered") {
  Home home;
  {
    auto db = home.open();
    Transaction all(*db);
    counters::reserveInitCounters(*db);
    counters::setAccepted(*db, device(7), 5);
    counters::setAccepted(*db, device(7), 9);
    counters::setAccepted(*db, device(7), 3);
    counters::setAccepted(*db, device(8), 1);
    all.commit();
  }
  auto db = home.open();
  auto accepted = counters::allAccepted(*db);
  REQUIRE(accepted == std::map<DeviceId, uint64_t>{{device(7), 9}, {device(8), 1}});
}

TEST_CASE("counters keep their values and their chain when old rows are forgotten") {
  Home home;
  {
    auto db = home.open();
    Transaction all(*db);
    counters::reserveInitCounters(*db);
    for (uint64_t value = 1; value <= counters::ROWS_MAX; ++value)
      counters::setAccepted(*db, device(value % 2), value);
    REQUIRE(chain::size(*db, "counters") == 4);  // three values written anew, and the last
    all.commit();
  }
  auto db = home.open();
  REQUIRE(db->chains.find("counters")->second.base == counters::ROWS_MAX);
  REQUIRE(counters::allAccepted(*db) ==
      std::map<DeviceId, uint64_t>{
          {device(0), counters::ROWS_MAX}, {device(1), counters::ROWS_MAX - 1}});
  REQUIRE(counters::reserveInitCounters(*db) == 1 + counters::INIT_COUNTER_BLOCK);
}

TEST_CASE("what is remembered of a peer is replaced as a whole") {
  Home home;
  auto db = home.open();
  PeerRow second{device(2), "phone", "phone", {}, 2'000};
  PeerRow newer{device(1), "watch", "watch", {"10.0.0.2:7427"}, 3'000};
  peers::put(*db, {device(1), "old", "watch", {"10.0.0.1:7427", "[::1]:9"}, 1'000});
  peers::put(*db, second);
  peers::put(*db, newer);
  REQUIRE(peers::all(*db) == std::vector<PeerRow>{newer, second});
}

TEST_CASE("of a peer's addresses so many are kept, and none that is too long") {
  Home home;
  auto db = home.open();
  PeerRow peer{device(1), "watch", "watch"};
  peer.addresses.push_back(std::string(PeerRow::ADDRESS_BYTES_MAX + 1, 'x'));
  for (size_t i = 0; i <= PeerRow::ADDRESSES_MAX; ++i)
    peer.addresses.push_back("10.0.0.1:" + std::to_string(i));
  peers::put(*db, peer);
  auto kept = peers::all(*db).at(0).addresses;
  REQUIRE(kept.size() == PeerRow::ADDRESSES_MAX);
  REQUIRE(kept.front() == "10.0.0.1:0");
  REQUIRE(kept.back() == "10.0.0.1:" + std::to_string(PeerRow::ADDRESSES_MAX - 1));
}

TEST_CASE("facts are replaced by newer ones only") {
  Home home;
  auto db = home.open();
  REQUIRE(facts::put(*db, {device(1), 2, bytesOf("two")}));
  REQUIRE(!facts::put(*db, {device(1), 2, bytesOf("also two")}));
  REQUIRE(!facts::put(*db, {device(1), 1, bytesOf("one")}));
  REQUIRE(facts::put(*db, {device(1), 3, bytesOf("three")}));
  auto all = facts::all(*db);
  REQUIRE(all.size() == 1);
  REQUIRE(all[0].version == 3);
  REQUIRE(all[0].encoded == bytesOf("three"));
}

TEST_CASE("jobs are listed newest first and found by the beginning of their id") {
  Home home;
  auto db = home.open();
  jobs::put(*db, {"aa11", 100, bytesOf("first")});
  jobs::put(*db, {"ab22", 300, bytesOf("third")});
  jobs::put(*db, {"cc33", 200, bytesOf("second")});
  auto newest = jobs::newest(*db, 2);
  REQUIRE(newest.size() == 2);
  REQUIRE(newest[0].id == "ab22");
  REQUIRE(newest[1].id == "cc33");
  REQUIRE(jobs::find(*db, "a").size() == 2);
  REQUIRE(jobs::find(*db, "ab").at(0).record == bytesOf("third"));
  REQUIRE(jobs::find(*db, "b").empty());
}

TEST_CASE("a job's record is replaced by its newer one") {
  Home home;
  auto db = home.open();
  jobs::put(*db, {"aa11", 100, bytesOf("running")});
  jobs::put(*db, {"aa11", 100, bytesOf("done")});
  REQUIRE(jobs::newest(*db, 9).size() == 1);
  REQUIRE(jobs::find(*db, "aa11").at(0).record == bytesOf("done"));
}

TEST_CASE("the oldest job gives way when there are too many") {
  Home home;
  auto db = home.open();
  Transaction all(*db);
  for (size_t i = 0; i <= jobs::KEPT_MAX; ++i)
    jobs::put(*db, {std::to_string(i), static_cast<int64_t>(i), bytesOf("record")});
  REQUIRE(jobs::newest(*db, jobs::KEPT_MAX + 1).size() == jobs::KEPT_MAX);
  REQUIRE(jobs::find(*db, "0").empty());
}

}  // namespace
}  // namespace hearth::storage

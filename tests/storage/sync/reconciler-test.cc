#include "crypto/primitives/hash.h"
#include "storage/sync/reconciler.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <random>
#include <set>

namespace hearth::storage {
namespace {

ItemName named(uint64_t number, uint64_t time) {
  auto bytes = kj::arrayPtr(reinterpret_cast<const kj::byte*>(&number), sizeof(number));
  return {time, crypto::hash("hearth/test/v1", {bytes})};
}

ReconcileSalt saltOf(uint8_t number) {
  ReconcileSalt salt;
  salt.bytes[0] = number;
  return salt;
}

struct Outcome {
  std::set<ItemName> fromFirst, fromSecond;  // what each has to send
  size_t wireBytes = 0, messages = 0;
};

Outcome reconciled(const ItemSet& first, const ItemSet& second, uint8_t salt = 1) {
  Reconciler sides[2]{Reconciler(first, saltOf(salt)), Reconciler(second, saltOf(salt))};
  Outcome outcome;
  auto message = sides[0].begin();
  for (size_t receiver = 1; message.size() > 0; receiver = 1 - receiver) {
    outcome.wireBytes += message.size();
    ++outcome.messages;
    REQUIRE(message.size() <= Reconciler::MESSAGE_BYTES_MAX);
    auto step = sides[receiver].received(message);
    REQUIRE(step.has_value());
    auto& sent = receiver == 0 ? outcome.fromFirst : outcome.fromSecond;
    for (auto& name: step->send) {
      bool isNew = sent.insert(name).second;
      REQUIRE(isNew);  // nothing is sent twice
    }
    message = kj::mv(step->reply);
  }
  return outcome;
}

struct TwoSets {
  ItemSet first, second;
  std::set<ItemName> onlyFirst, onlySecond;

  void add(const ItemName& name, bool inFirst, bool inSecond) {
    if (inFirst) first.insert(name);
    if (inSecond) second.insert(name);
    if (inFirst && !inSecond) onlyFirst.insert(name);
    if (inSecond && !inFirst) onlySecond.insert(name);
  }
};

TEST_CASE("two sets that differ at random are told exactly what the other lacks") {
  auto seed = GENERATE(range(1, 61));
  CAPTURE(seed);
  std::mt19937_64 luck(static_cast<uint64_t>(seed));
  TwoSets sets;
  auto size = luck() % 4'000;
  auto times = 1 + luck() % (seed % 3 == 0 ? 3 : 100'000);  // also many at one moment
  auto differing = 1 + luck() % 300;
  for (uint64_t i = 0; i < size; ++i) {
    auto name = named(i, luck() % times);
    bool differs = luck() % (size + 1) < differing;
    bool mine = luck() % 2;
    sets.add(name, !differs || mine, !differs || !mine);
  }
  auto outcome = reconciled(sets.first, sets.second);
  REQUIRE(outcome.fromFirst == sets.onlyFirst);
  REQUIRE(outcome.fromSecond == sets.onlySecond);
}

TEST_CASE("whoever has nothing is sent everything after one message, whoever begins") {
  TwoSets sets;
  for (uint64_t i = 0; i < 10'000; ++i) sets.add(named(i, i), true, false);
  auto called = reconciled(sets.second, sets.first);
  REQUIRE(called.fromSecond == sets.onlyFirst);
  REQUIRE(called.messages == 1);
  auto calling = reconciled(sets.first, sets.second);
  REQUIRE(calling.fromFirst == sets.onlyFirst);
  REQUIRE(calling.messages == 2);
}

TEST_CASE("equal sets cost one message of a few hundred bytes, whatever their size") {
  TwoSets sets;
  for (uint64_t i = 0; i < 50'000; ++i) sets.add(named(i, i), true, true);
  auto outcome = reconciled(sets.first, sets.second);
  REQUIRE(outcome.messages == 1);
  REQUIRE(outcome.wireBytes < 400);
}

TEST_CASE("sets that have nothing in common come through in messages of bounded size") {
  TwoSets sets;
  for (uint64_t i = 0; i < 40'000; ++i) sets.add(named(i, i), i % 2 == 0, i % 2 == 1);
  auto outcome = reconciled(sets.first, sets.second);
  REQUIRE(outcome.messages > 6);  // they did not fit
  REQUIRE(outcome.fromFirst == sets.onlyFirst);
  REQUIRE(outcome.fromSecond == sets.onlySecond);
}

TEST_CASE("a peer that asks for ever is given up") {
  ItemSet set;
  for (uint64_t i = 0; i < 1'000; ++i) set.insert(named(i, i));
  Reconciler side(set, saltOf(1)), other(set, saltOf(2));
  auto message = other.begin();  // under another salt nothing is ever equal
  Result<Reconciler::Step> step;
  for (uint32_t i = 0; i <= Reconciler::ROUNDS_MAX; ++i) step = side.received(message);
  REQUIRE(step.error().code == Errc::LIMIT_EXCEEDED);
}

TEST_CASE("messages that do not read are refused") {
  ItemSet set;
  for (uint64_t i = 0; i < 100; ++i) set.insert(named(i, i));
  auto refused = [&](std::initializer_list<kj::byte> bytes) {
    Reconciler side(set, saltOf(1));
    auto step = side.received(kj::arrayPtr(bytes.begin(), bytes.size()));
    return !step && step.error().code == Errc::BAD_FORMAT;
  };
  REQUIRE(refused({4, 0}));              // no such mode
  REQUIRE(refused({1, 0, 1, 2, 3}));     // a fingerprint that ends too early
  REQUIRE(refused({2, 0, 17}));          // more names than a list may have
  REQUIRE(refused({2, 0, 1, 1, 2, 3}));  // a name that ends too early
  REQUIRE(refused({0, 5, 0, 0, 1, 0}));  // bounds that do not ascend
  REQUIRE(refused({0, 0, 0, 0}));        // beyond the end
  REQUIRE(refused({0, 1, 33}));          // an id that is too long
  REQUIRE(
      refused({0, 2, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0}));  // time runs over
  auto large = kj::heapArray<kj::byte>(Reconciler::MESSAGE_BYTES_MAX + 1);
  Reconciler side(set, saltOf(1));
  REQUIRE(side.received(large).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("sums and ranks of a set are those of its names, in whatever order they came") {
  auto seed = GENERATE(range(1, 11));
  CAPTURE(seed);
  std::mt19937_64 luck(static_cast<uint64_t>(seed));
  ItemSet set;
  std::set<ItemName> names;
  for (int i = 0; i < 3'000; ++i) {
    auto name = named(luck() % 2'500, luck() % 50);
    REQUIRE(set.insert(name) == names.insert(name).second);
    if (i % 500 != 0) continue;
    auto begin = luck() % (names.size() + 1), end = begin + luck() % (names.size() + 1 - begin);
    ItemSum sum;
    for (size_t rank = begin; rank < end; ++rank)
      sum.add(std::next(names.begin(), static_cast<long>(rank))->id);
    REQUIRE(set.sum(begin, end) == sum);
    auto bound = named(luck() % 5'000, luck() % 50);
    auto rank = std::distance(names.begin(), names.lower_bound(bound));
    REQUIRE(set.rankOf(bound) == static_cast<size_t>(rank));
    REQUIRE(set.contains(bound) == names.contains(bound));
  }
  size_t rank = 0;
  for (auto& name: names) REQUIRE(set.at(rank++) == name);
}

}  // namespace
}  // namespace hearth::storage

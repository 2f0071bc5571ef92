#include "storage/search/vectors.h"
#include "tests/storage/home.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>

namespace hearth::storage::search::vectors {
namespace {

crypto::CollectionId collection(kj::byte fill) {
  crypto::CollectionId id;
  memset(id.bytes, fill, sizeof(id.bytes));
  return id;
}

Part part(std::string key, uint32_t number = 0, kj::byte in = 1) {
  return {{Kind::DOCUMENT, collection(in), kj::mv(key)}, number};
}

struct Vectors {
  Home home;
  kj::Own<Database> db = home.open();

  Result<void> put(const Part& part, std::vector<float> vector, const std::string& model = "m") {
    return vectors::put(*db, part, model, vector);
  }
  std::vector<std::string> nearest(
      std::vector<float> to, size_t most = 10, const std::string& model = "m") {
    std::vector<std::string> keys;
    for (auto& near: vectors::nearest(*db, collection(1), model, to, most).value())
      keys.push_back(near.part.item.key);
    return keys;
  }
};

using Keys = std::vector<std::string>;

TEST_CASE("the nearest come first, whatever their length") {
  Vectors all;
  REQUIRE(all.put(part("east"), {100, 0}));
  REQUIRE(all.put(part("north"), {0, 0.01f}));
  REQUIRE(all.put(part("northeast"), {3, 3}));
  REQUIRE(all.nearest({1, 0.1f}) == Keys{"east", "northeast", "north"});
  REQUIRE(all.nearest({1, 0.1f}, 1) == Keys{"east"});
  REQUIRE(all.nearest({1, 0.1f}, 0).empty());
}

TEST_CASE("a cosine is told") {
  Vectors all;
  REQUIRE(all.put(part("a"), {1, 1}));
  float to[] = {1, 0};
  auto near = nearest(*all.db, collection(1), "m", to, 1).value();
  REQUIRE(std::abs(near[0].cosine - std::sqrt(0.5f)) < 1e-6f);
}

TEST_CASE("collections and models are apart, each with a dimension of its own") {
  Vectors all;
  REQUIRE(all.put(part("a"), {1, 0}));
  REQUIRE(all.put(part("b", 0, 2), {1, 0, 0}));
  REQUIRE(all.put(part("c"), {1, 0, 0, 0}, "other"));
  REQUIRE(all.nearest({1, 0}) == Keys{"a"});
  REQUIRE(all.nearest({1, 0, 0, 0}, 10, "other") == Keys{"c"});
}

TEST_CASE("another dimension than the others' is refused") {
  Vectors all;
  REQUIRE(all.put(part("a"), {1, 0}));
  REQUIRE(all.put(part("b"), {1, 0, 0}).error().code == Errc::BAD_FORMAT);
  float to[] = {1, 0, 0};
  REQUIRE(nearest(*all.db, collection(1), "m", to, 1).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("the only vector may be replaced by one of another dimension") {
  Vectors all;
  REQUIRE(all.put(part("a"), {1, 0}));
  REQUIRE(all.put(part("a"), {1, 0, 0}));
  REQUIRE(KJ_ASSERT_NONNULL(find(*all.db, part("a"), "m")) == std::vector<float>{1, 0, 0});
}

TEST_CASE("what has no direction or is no number is refused") {
  Vectors all;
  REQUIRE(all.put(part("a"), {}).error().code == Errc::BAD_FORMAT);
  REQUIRE(all.put(part("a"), {0, 0}).error().code == Errc::BAD_FORMAT);
  REQUIRE(all.put(part("a"), {NAN, 1}).error().code == Errc::BAD_FORMAT);
  REQUIRE(all.put(part("a"), {INFINITY, 1}).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("more dimensions than there may be are refused, and as many are not") {
  Vectors all;
  REQUIRE(all.put(part("a"), std::vector<float>(DIMENSION_MAX + 1, 1)).error().code ==
      Errc::LIMIT_EXCEEDED);
  REQUIRE(all.put(part("a"), std::vector<float>(DIMENSION_MAX, 1)));
}

TEST_CASE("an item's parts are found each, and go together") {
  Vectors all;
  REQUIRE(all.put(part("a", 0), {1, 0}));
  REQUIRE(all.put(part("a", 1), {0, 1}));
  REQUIRE(all.nearest({1, 0}).size() == 2);
  vectors::remove(*all.db, part("a").item);
  REQUIRE(all.nearest({1, 0}).empty());
}

}  // namespace
}  // namespace hearth::storage::search::vectors

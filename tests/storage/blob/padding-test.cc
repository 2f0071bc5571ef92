#include "storage/blob/padding.h"

#include <catch2/catch_test_macros.hpp>
#include <set>

namespace hearth::storage {
namespace {

TEST_CASE("padded sizes are those of PADME") {
  // Worked by hand from the definition: L = 9 has E = 3, S = 2, steps of 2.
  REQUIRE(padded(0) == 0);
  REQUIRE(padded(1) == 1);
  REQUIRE(padded(2) == 2);
  REQUIRE(padded(3) == 3);
  REQUIRE(padded(8) == 8);
  REQUIRE(padded(9) == 10);
  REQUIRE(padded(1'000) == 1'024);          // E 9, S 4, steps of 32
  REQUIRE(padded(1'000'000) == 1'015'808);  // E 19, S 5, steps of 16,384
  REQUIRE(padded(uint64_t{1} << 40) == uint64_t{1} << 40);
}

TEST_CASE("padding never shrinks, is stable, grows with the size and costs at most an eighth") {
  uint64_t before = 0;
  for (uint64_t bytes = 1; bytes < 300'000; bytes += 1 + bytes / 50) {
    auto size = padded(bytes);
    REQUIRE(size >= bytes);
    REQUIRE(size >= before);
    REQUIRE(padded(size) == size);
    REQUIRE((size - bytes) * 8 <= bytes);
    before = size;
  }
}

TEST_CASE("a million sizes become a few hundred") {
  std::set<uint64_t> sizes;
  for (uint64_t bytes = 0; bytes < 1'000'000; ++bytes) sizes.insert(padded(bytes));
  REQUIRE(sizes.size() < 400);
}

}  // namespace
}  // namespace hearth::storage

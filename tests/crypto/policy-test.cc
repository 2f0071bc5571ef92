// What the owner allows, as bytes.

#include "crypto/membership/policy.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::crypto {
namespace {

Digest digest(uint8_t first) {
  Digest value;
  value.bytes[0] = first;
  return value;
}

// Something in every field.
Policy whole() {
  Policy policy{.gpuLabels = 3, .staleDays = 30};
  policy.levels[0] = Assurance::A4;
  policy.plugins = {digest(1), digest(2)};
  policy.signers = {digest(3)};
  policy.minimums = {{digest(1), "vad", 1, 2, 3}, {digest(1), "vad", 1, 2, 4}};
  policy.daemons = {digest(5)};
  policy.profiles = {digest(6)};
  policy.caps.memoryMib = 2'048;
  policy.ceilings = {{DeviceId(), Label::HEALTH}};
  policy.broker = true;
  policy.egress = {{"example.org", 443, "/models", 1}};
  return policy;
}

// Where things stand in a policy without lists (SECURITY.md §9.1).
constexpr size_t LEVEL_OF_SECRET = 4, GPU = 5, STALE = 6, LISTS = 8, CAPS = LISTS + 5 * 2,
                 BROKER = CAPS + 3 * 4 + 2 * 2 + 4 + 2 + 2;

TEST_CASE("a policy is read as it was written") {
  auto bytes = whole().encode();
  auto read = Policy::decode(bytes).value();
  REQUIRE(read == whole());
  REQUIRE(read.encode() == bytes);
  REQUIRE(Policy::decode(Policy().encode()).value() == Policy());
}

TEST_CASE(
    "where nobody has said anything, what is personal is measured and what is secret confined") {
  Policy policy;
  REQUIRE(policy.levels[static_cast<size_t>(Label::PERSONAL)] == Assurance::A1);
  REQUIRE(policy.levels[static_cast<size_t>(Label::HEALTH)] == Assurance::A2);
  REQUIRE(policy.levels[static_cast<size_t>(Label::SECRET)] == Assurance::A2);
  REQUIRE(policy.staleDays == 7);
}

TEST_CASE("a policy that is cut short or goes on is refused") {
  auto bytes = whole().encode();
  for (size_t size = 1; size < bytes.size(); ++size)
    REQUIRE(Policy::decode(bytes.slice(0, size)).error().code == Errc::BAD_FORMAT);
  auto longer = kj::heapArray<kj::byte>(bytes.size() + 1);
  memcpy(longer.begin(), bytes.begin(), bytes.size());
  longer.back() = 0;
  REQUIRE(Policy::decode(longer).error().code == Errc::BAD_FORMAT);
  REQUIRE(Policy::decode(kj::heapArray<kj::byte>(Policy::BYTES_MAX + 1)).error().code ==
      Errc::BAD_LENGTH);
}

TEST_CASE("a policy that says what there is not is refused") {
  auto bytes = Policy().encode();
  auto code = Errc::BAD_FORMAT;
  SECTION("another version") {
    bytes[0] = 2;
    code = Errc::BAD_VERSION;
  }
  SECTION("a sixth level") { bytes[LEVEL_OF_SECRET] = 5; }
  SECTION("a fifth label") { bytes[GPU] = 1 << LABELS; }
  SECTION("no day") { bytes[STALE] = 0; }
  SECTION("more than a month") { bytes[STALE] = 31; }
  SECTION("more memory than there may be") { bytes[CAPS + 2] = 2; }
  SECTION("a broker that is neither on nor off") { bytes[BROKER] = 2; }
  REQUIRE(Policy::decode(bytes).error().code == code);
}

TEST_CASE("a list of a policy that does not ascend is refused") {
  auto policy = whole();
  SECTION("a measurement twice") { policy.plugins = {digest(1), digest(1)}; }
  SECTION("signers in another order") { policy.signers = {digest(2), digest(1)}; }
  SECTION("a lesser version behind a greater one") {
    std::swap(policy.minimums[0], policy.minimums[1]);
  }
  REQUIRE(Policy::decode(policy.encode()).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("a list of a policy has so many items at most") {
  Policy policy;
  auto number = [](size_t i) {
    Digest value;
    value.bytes[0] = static_cast<kj::byte>(i >> 8);
    value.bytes[1] = static_cast<kj::byte>(i);
    return value;
  };
  for (size_t i = 0; i < Policy::LIST_MAX; ++i) policy.plugins.push_back(number(i));
  REQUIRE(Policy::decode(policy.encode()).value() == policy);
  policy.plugins.push_back(number(Policy::LIST_MAX));
  auto bytes = policy.encode();
  REQUIRE(bytes.size() <= Policy::BYTES_MAX);  // it is the list that is too long
  REQUIRE(Policy::decode(bytes).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("a place outside that is not reached by https, or has a zero in its name, is refused") {
  auto policy = whole();
  policy.egress = {{"x", 443, "", 1}};
  auto bytes = policy.encode();
  constexpr size_t PLACE_BYTES = 1 + 1 + 1 + 2 + 2 + 1;
  auto* place = bytes.end() - PLACE_BYTES;
  REQUIRE(*place == 1);
  SECTION("another scheme") { place[0] = 2; }
  SECTION("a zero") { place[2] = 0; }
  REQUIRE(Policy::decode(bytes).error().code == Errc::BAD_FORMAT);
}

}  // namespace
}  // namespace hearth::crypto

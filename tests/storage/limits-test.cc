// Limits and rest, as the database keeps them.
#include "storage/tables/limits.h"
#include "tests/storage/home.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::storage {
namespace {

DeviceId device(size_t number) {
  DeviceId id;
  memcpy(id.bytes, &number, sizeof(number));
  return id;
}

TEST_CASE("a device has its own limits and all together have theirs, until they are lifted") {
  Home home;
  auto db = home.open();
  REQUIRE(limits::all(*db).empty());
  REQUIRE(limits::set(*db, DeviceId(), {limits::RATE_LEAST, 0}).has_value());
  REQUIRE(limits::set(*db, device(1), {0, limits::RATE_MOST}).has_value());
  REQUIRE(limits::set(*db, device(1), {limits::RATE_MOST, 7 << 20}).has_value());
  REQUIRE(limits::all(*db) ==
      std::map<DeviceId, limits::Rates>{
          {DeviceId(), {limits::RATE_LEAST, 0}}, {device(1), {limits::RATE_MOST, 7 << 20}}});
  REQUIRE(limits::set(*db, DeviceId(), {}).has_value());
  REQUIRE(limits::all(*db).size() == 1);
  REQUIRE_THROWS_AS((void)limits::set(*db, device(2), {1, 0}), kj::Exception);
  REQUIRE_THROWS_AS((void)limits::set(*db, device(2), {0, limits::RATE_MOST + 1}), kj::Exception);
}

TEST_CASE("so many devices have limits of their own, and those that have may get others") {
  Home home;
  auto db = home.open();
  for (size_t i = 0; i < limits::DEVICES_MAX; ++i)
    REQUIRE(limits::set(*db, device(i), {limits::RATE_LEAST, 0}).has_value());
  auto more = limits::set(*db, device(limits::DEVICES_MAX), {limits::RATE_LEAST, 0});
  REQUIRE(more.error().code == Errc::LIMIT_EXCEEDED);
  REQUIRE(limits::set(*db, device(1), {limits::RATE_MOST, 0}).has_value());
  REQUIRE(limits::all(*db).size() == limits::DEVICES_MAX);
}

TEST_CASE(
    "a new device rests on a low battery and on a metered network, and what is said of that stays") {
  Home home;
  auto db = home.open();
  REQUIRE(limits::resting(*db) == limits::Resting{20, true, 0});
  limits::Resting said{limits::BELOW_MAX, false, limits::UNTIL_RESUMED};
  limits::setResting(*db, said);
  REQUIRE(limits::resting(*db) == said);
  REQUIRE_THROWS_AS(limits::setResting(*db, {limits::BELOW_MAX + 1, true, 0}), kj::Exception);
}

}  // namespace
}  // namespace hearth::storage

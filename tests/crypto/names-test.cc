// What devices are called: each name is opened once.

#include "crypto/membership/names.h"
#include "tests/crypto/small-circle.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::crypto {
namespace {

void sayName(Device& device, kj::StringPtr name) {
  auto op = authorNames(
      *device.log, device.epochs, device.keys, {.name = kj::str(name)}, 1, device.entropy);
  device.take(op.value());
}

TEST_CASE("a name is opened once, however often it is asked for") {
  Circle circle;
  Names names;
  sayName(circle.phone, "phone");
  auto& log = *circle.phone.log;
  REQUIRE(names.in(log, circle.phone.epochs).at(circle.phone.keys.id) == "phone");
  REQUIRE(names.in(log, circle.phone.epochs).at(circle.phone.keys.id) == "phone");
  REQUIRE(names.opened() == 1);
  sayName(circle.phone, "hall");
  REQUIRE(names.in(log, circle.phone.epochs).at(circle.phone.keys.id) == "hall");
  REQUIRE(names.opened() == 2);
}

TEST_CASE("a name that a device could not open it opens when it has the secret") {
  Circle circle;
  Names names;
  sayName(circle.phone, "phone");
  auto& log = *circle.phone.log;
  EpochKeys none;
  REQUIRE(names.in(log, none).empty());
  REQUIRE(names.in(log, none).empty());
  REQUIRE(names.opened() == 1);
  REQUIRE(names.in(log, circle.phone.epochs).at(circle.phone.keys.id) == "phone");
  REQUIRE(names.opened() == 2);
}

}  // namespace
}  // namespace hearth::crypto

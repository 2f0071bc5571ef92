#include "core/base/flat.h"
#include "core/base/ids.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth {
namespace {

TEST_CASE("what the flat writer wrote the flat reader reads back") {
  FlatWriter writer;
  writer.u8(1).u16(0x0203).u24(0x040506).u32(7).u64(8).i64(-9).var16("text"_kj.asBytes());
  FlatReader reader(writer.asBytes());
  REQUIRE(reader.u8() == 1);
  REQUIRE(reader.u16() == 0x0203);
  REQUIRE(reader.u24() == 0x040506);
  REQUIRE(reader.u32() == 7);
  REQUIRE(reader.u64() == 8);
  REQUIRE(reader.i64() == -9);
  REQUIRE(reader.var16() == "text"_kj.asBytes());
  REQUIRE(reader.finish().has_value());
}

TEST_CASE("integers are little-endian") {
  FlatWriter writer;
  writer.u32(0x01020304);
  REQUIRE(writer.asBytes()[0] == 4);
  REQUIRE(writer.asBytes()[3] == 1);
}

TEST_CASE("a length that lies makes the reader bad for good") {
  kj::byte lying[] = {200, 'a', 'b'};
  FlatReader reader(lying);
  REQUIRE(reader.var8().size() == 0);
  REQUIRE(reader.u8() == 0);
  REQUIRE(reader.finish().error().code == Errc::BAD_FORMAT);
}

TEST_CASE("bytes behind the last field are refused") {
  kj::byte two[] = {1, 2};
  FlatReader reader(two);
  reader.u8();
  REQUIRE(reader.finish().error().code == Errc::BAD_FORMAT);
}

TEST_CASE("a list count that cannot fit is refused before anything is read") {
  kj::byte claim[] = {0xff, 0xff, 1};
  FlatReader reader(claim);
  REQUIRE(reader.count16(0xffff, 32) == 0);
  REQUIRE_FALSE(reader.good());
}

TEST_CASE("an identifier of another length is refused") {
  REQUIRE(DeviceId::from(kj::StringPtr("short").asBytes()).error().code == Errc::BAD_LENGTH);
}

}  // namespace
}  // namespace hearth

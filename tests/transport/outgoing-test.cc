#include "transport/datagram/outgoing.h"

#include <kj/debug.h>
#include <kj/string.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::transport {
namespace {

constexpr uint64_t LIMIT = 1'000;
constexpr size_t MOST = 100;

Outgoing::Piece sendNext(Outgoing& outgoing) {
  auto piece = KJ_ASSERT_NONNULL(outgoing.next(LIMIT, MOST));
  outgoing.sent(piece);
  return piece;
}

TEST_CASE("an end that arrives before the bytes ahead of it ends nothing yet") {
  Outgoing outgoing;
  outgoing.write("some bytes"_kj.asBytes());
  auto bytes = sendNext(outgoing);
  outgoing.finish();
  auto end = sendNext(outgoing);
  REQUIRE((end.end && end.range.isEmpty()));
  outgoing.arrived(end);
  REQUIRE_FALSE(outgoing.isDelivered());
  outgoing.arrived(bytes);
  REQUIRE(outgoing.isDelivered());
}

TEST_CASE("an end that is lost goes once more when the bytes ahead of it have arrived") {
  Outgoing outgoing;
  outgoing.write("some bytes"_kj.asBytes());
  auto bytes = sendNext(outgoing);
  outgoing.finish();
  auto end = sendNext(outgoing);
  outgoing.arrived(bytes);
  REQUIRE(outgoing.next(LIMIT, MOST) == nullptr);
  outgoing.lost(end);
  REQUIRE_FALSE(outgoing.isDelivered());
  outgoing.arrived(sendNext(outgoing));
  REQUIRE(outgoing.isDelivered());
}

}  // namespace
}  // namespace hearth::transport

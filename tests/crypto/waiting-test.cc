// Ops that cannot be stored yet: what is kept of them when there is no room.

#include "crypto/membership/waiting.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::crypto {
namespace {

// Waits for one that has not come.
SealedOp opOf(uint8_t author, uint32_t number, size_t bytes = 1) {
  SealedOp op;
  op.op.author.bytes[0] = author;
  memcpy(op.hash.bytes, &number, sizeof(number));
  op.hash.bytes[31] = author;
  op.op.parents.emplace_back().bytes[0] = author;
  op.envelope.resize(bytes);
  return op;
}
OpHash missing(uint8_t author) { return opOf(author, 0).op.parents.front(); }

TEST_CASE("where there is no room the oldest op of the author with the most gives way") {
  WaitingOps waiting;
  waiting.put(opOf(1, 0));
  for (uint32_t i = 0; i < WaitingOps::OPS_MAX; ++i) waiting.put(opOf(2, i));
  REQUIRE(waiting.all().size() == WaitingOps::OPS_MAX);
  REQUIRE(waiting.find(opOf(1, 0).hash) != nullptr);
  REQUIRE(waiting.find(opOf(2, 0).hash) == nullptr);
  REQUIRE(waiting.find(opOf(2, 1).hash) != nullptr);
}

TEST_CASE("ops that wait hold no more bytes than they may") {
  WaitingOps waiting;
  constexpr size_t EACH = WaitingOps::BYTES_MAX / 4;
  for (uint32_t i = 0; i < 4; ++i) waiting.put(opOf(1, i, EACH));
  REQUIRE(waiting.all().size() == 4);
  waiting.put(opOf(2, 0));
  REQUIRE(waiting.all().size() == 4);
  REQUIRE(waiting.find(opOf(1, 0).hash) == nullptr);
  waiting.take(opOf(1, 1).hash);
  waiting.put(opOf(2, 1, EACH));
  REQUIRE(waiting.find(opOf(2, 0).hash) != nullptr);
}

TEST_CASE("what is missing is wanted for as long as an op waits for it") {
  WaitingOps waiting;
  waiting.put(opOf(1, 0));
  waiting.put(opOf(1, 1));
  waiting.put(opOf(1, 1));  // comes twice
  waiting.take(opOf(1, 0).hash);
  REQUIRE(waiting.isWanted(missing(1)));
  auto copy = waiting;
  waiting.take(opOf(1, 1).hash);
  REQUIRE_FALSE(waiting.isWanted(missing(1)));
  REQUIRE(copy.isWanted(missing(1)));
  REQUIRE(copy.take(opOf(1, 1).hash).hash == opOf(1, 1).hash);
}

}  // namespace
}  // namespace hearth::crypto

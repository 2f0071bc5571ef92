#include "core/trace/trace.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth {
namespace {

kj::StringPtr textOf(kj::VectorOutputStream& out, kj::String& hold) {
  hold = kj::str(out.getArray().asChars());
  return hold;
}

TEST_CASE("an event is one line of JSON with the short form of ids") {
  kj::VectorOutputStream out;
  JsonTrace trace(out, kj::nullClock());
  DeviceId peer;
  peer.bytes[0] = 0x1a;
  trace.event("link.up", {{"peer", peer}, {"rtt_us", 120}, {"why", "a \"call\""}});
  kj::String hold;
  REQUIRE(textOf(out, hold) ==
      "{\"at_ms\":0,\"event\":\"link.up\",\"peer\":\"1a000000\",\"rtt_us\":120,"
      "\"why\":\"a \\\"call\\\"\"}\n");
}

TEST_CASE("a trace that is full says so once and stops") {
  kj::VectorOutputStream out;
  JsonTrace trace(out, kj::nullClock(), 100);
  for (int i = 0; i < 100; ++i) trace.event("tick", {{"n", i}});
  kj::String hold;
  auto text = textOf(out, hold);
  REQUIRE(text.endsWith("\"trace.full\"}\n"));
  REQUIRE(text.size() < 200);
}

}  // namespace
}  // namespace hearth

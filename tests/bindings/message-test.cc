#include "bindings/local/message.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::local {
namespace {

TEST_CASE("an error that came over the daemon's socket reads as the daemon wrote it") {
  auto remote = KJ_EXCEPTION(FAILED, "remote exception: BadFormat: not a WAV file");
  auto own = KJ_EXCEPTION(FAILED, "BadFormat: not a WAV file");
  REQUIRE(messageOf(remote) == "BadFormat: not a WAV file");
  REQUIRE(messageOf(own) == "BadFormat: not a WAV file");
}

}  // namespace
}  // namespace hearth::local

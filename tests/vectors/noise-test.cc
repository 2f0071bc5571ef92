// Sources: the cacophony Haskell library's vectors, and Hearth's own hybrid vectors and known
// answers, written by an independent implementation of the specification. They lie beside the
// repository (../shared/data/noise), not in it.

#include "apps/hearth-vectors/checks.h"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

namespace hearth::vectors {
namespace {

nlohmann::json load(const char* name) {
  auto path = std::string(HEARTH_SOURCE_DIR "/../shared/data/noise/") + name;
  std::ifstream stream(path);
  if (!stream) SKIP("no published vectors: " + path + " is not there");
  return nlohmann::json::parse(stream);
}

TEST_CASE("all 354 applicable published Noise vectors hold") {
  auto file = load("cacophony.json");
  REQUIRE(checkNoise(file) == Tally{354, 0, 590});
}

TEST_CASE("all 52 hybrid vectors hold, with split, exporter, exports and rekeying") {
  auto file = load("hybrid.json");
  REQUIRE(checkNoise(file) == Tally{52, 0, 0});
}

TEST_CASE("no known answer is wrong") {
  auto file = load("known-answers.json");
  REQUIRE(checkAnswers(file).failed == 0);
}

}  // namespace
}  // namespace hearth::vectors

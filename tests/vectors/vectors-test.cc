// Sources: the cacophony Haskell library's vectors, project Wycheproof's, and Hearth's own hybrid
// vectors, known answers and membership histories, written by an independent implementation of the
// specification. They lie beside the repository (../shared/data), not in it.

#include "apps/hearth-vectors/checks.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

namespace hearth::vectors {
namespace {

nlohmann::json load(const char* name) {
  auto path = std::string(HEARTH_SOURCE_DIR "/../shared/data/") + name;
  std::ifstream stream(path);
  if (!stream) SKIP("no published vectors: " + path + " is not there");
  return nlohmann::json::parse(stream);
}

TEST_CASE("all 354 applicable published Noise vectors hold") {
  auto file = load("noise/cacophony.json");
  REQUIRE(checkNoise(file) == Tally{354, 0, 590});
}

TEST_CASE("all 52 hybrid vectors hold, with split, exporter, exports and rekeying") {
  auto file = load("noise/hybrid.json");
  REQUIRE(checkNoise(file) == Tally{52, 0, 0});
}

TEST_CASE("all 91 known answers hold") {
  auto file = load("noise/known-answers.json");
  REQUIRE(checkAnswers(file) == Tally{91, 0, 0});
}

struct Wycheproof {
  const char* name;
  uint32_t tests;
};

TEST_CASE("all 1,757 Wycheproof tests hold") {
  auto [name, tests] =
      GENERATE(values<Wycheproof>({{"x25519", 518}, {"ed25519", 151}, {"chacha20_poly1305", 325},
          {"mlkem_768", 193}, {"hkdf_sha256", 86}, {"ecdsa_secp256r1_sha256", 484}}));
  auto file = load((std::string("wycheproof/") + name + "_test.json").c_str());
  REQUIRE(checkWycheproof(file) == Tally{tests, 0, 0});
}

TEST_CASE("all 300 membership histories mean the same in every order of delivery") {
  auto file = load("membership/histories.json");
  REQUIRE(checkMembership(file) == Tally{300, 0, 0});
}

}  // namespace
}  // namespace hearth::vectors

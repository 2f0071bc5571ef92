#include "simulator/story/verbs.h"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <sstream>

namespace hearth::sim {
namespace {

constexpr auto S = kj::SECONDS;
constexpr DeviceIndex PHONE = 0, LAPTOP = 1, GPUBOX = 2;

constexpr const char* HOME = R"(title = "At home"
story = "Three devices."
[[network]]
name = "home"
kind = "home-wifi"
[[device]]
name = "phone"
profile = "phone-flagship"
at = "home"
admin = true
[[device]]
name = "laptop"
profile = "laptop"
at = "home"
[[device]]
name = "gpubox"
profile = "gpubox"
at = "home"
)";

std::string shipped(const char* file) {
  std::ifstream in(std::string(HEARTH_SOURCE_DIR) + "/simulator/data/" + file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// A story in which nothing happens but what a test does to the phone.
struct Evening {
  Catalogue catalogue = *Catalogue::parse(shipped("profiles.toml"), shipped("networks.toml"));
  Scenario scenario = *parseScenario("evening", HOME);
  Run run{scenario, catalogue, 1};

  Evening() { run.begin(); }

  // For ten seconds, of which one has passed.
  void take(std::string what, double amount, std::string other = "") {
    Step step{.what = kj::mv(what), .device = "phone", .other = kj::mv(other)};
    step.span = 10 * S;
    step.amount = amount;
    REQUIRE(run.take(step));
    run.world.run(1 * S);
  }
  Trouble between(DeviceIndex from, DeviceIndex to) {
    return run.world.terrain.troubleOf(from, to);
  }
};

TEST_CASE("lossy alone is both ways and with everybody, and ends") {
  Evening evening;
  evening.take("lossy", 300);
  REQUIRE(evening.between(PHONE, LAPTOP).loss == 300);
  REQUIRE(evening.between(GPUBOX, PHONE).loss == 300);
  REQUIRE(evening.between(GPUBOX, LAPTOP).loss == 0);
  evening.run.world.run(10 * S);
  REQUIRE(evening.between(PHONE, LAPTOP).loss == 0);
  REQUIRE(evening.between(GPUBOX, PHONE).loss == 0);
}

TEST_CASE("lossy with another device is the way to it alone") {
  Evening evening;
  evening.take("lossy", 300, "laptop");
  REQUIRE(evening.between(PHONE, LAPTOP).loss == 300);
  REQUIRE(evening.between(LAPTOP, PHONE).loss == 0);
  REQUIRE(evening.between(PHONE, GPUBOX).loss == 0);
}

TEST_CASE("duplicate, reorder and tamper are both ways, and do not end each other") {
  Evening evening;
  evening.take("duplicate", 300);
  evening.take("reorder", 200, "laptop");
  evening.take("tamper", 0, "laptop");
  for (auto& way: {evening.between(PHONE, LAPTOP), evening.between(LAPTOP, PHONE)}) {
    REQUIRE(way.duplicates == 300);
    REQUIRE(way.reordered == 200);
    REQUIRE(way.tampered == 100);  // where nothing is said
  }
  REQUIRE(evening.between(PHONE, GPUBOX).reordered == 0);
  evening.run.world.run(7'500 * kj::MILLISECONDS);
  REQUIRE(evening.between(PHONE, LAPTOP).duplicates == 0);
  REQUIRE(evening.between(PHONE, LAPTOP).reordered == 200);
}

}  // namespace
}  // namespace hearth::sim

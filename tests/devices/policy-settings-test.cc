// A policy as people say it.

#include "devices/node/policy-settings.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::devices {
namespace {

using crypto::Assurance;
using crypto::Policy;

TEST_CASE("what is set is shown, and the rest stays") {
  Policy before;
  before.broker = true;
  auto after = withSettings(before, {{"health", "A3"}, {"stale-days", "30"}}).value();
  REQUIRE(after.levels[2] == Assurance::A3);
  REQUIRE(after.staleDays == 30);
  REQUIRE(after.broker);
  REQUIRE(withSettings(Policy(), settingsOf(after)).value().levels[2] == Assurance::A3);
}

TEST_CASE("what is no setting is refused with what there is") {
  auto refuses = [](const char* key, const char* value) {
    return withSettings(Policy(), {{key, value}}).error().code == Errc::BAD_FORMAT;
  };
  REQUIRE(refuses("health", "A4"));  // nothing proves it yet
  REQUIRE(refuses("health", "a2"));
  REQUIRE(refuses("stale-days", "0"));
  REQUIRE(refuses("stale-days", "31"));
  REQUIRE(refuses("stale-days", "7d"));
  REQUIRE(refuses("stale-days", ""));
  REQUIRE(refuses("colour", "A1"));
}

TEST_CASE("the least suite that is set with other settings is refused, and it is said why") {
  for (auto& wanted: {std::vector<Setting>{{"health", "A3"}, {MIN_SUITE, "1"}},
           std::vector<Setting>{{MIN_SUITE, "1"}, {"health", "A3"}}}) {
    auto refused = withSettings(Policy(), wanted).error();
    REQUIRE(refused.code == Errc::BAD_FORMAT);
    REQUIRE(std::string(refused.because.cStr()).find("alone") != std::string::npos);
    REQUIRE(std::string(refused.because.cStr()).starts_with("min-suite"));
  }
}

TEST_CASE("what is named as a setting where another one is refused can be set") {
  auto all = std::string(withSettings(Policy(), {{"colour", "red"}}).error().because.cStr());
  for (auto& setting: settingsOf(Policy())) REQUIRE(all.find(setting.key) != std::string::npos);
  REQUIRE(all.find(MIN_SUITE) != std::string::npos);
}

TEST_CASE("who is to agree to a policy is told of all that differs") {
  Policy before, after;
  after.levels[2] = Assurance::A3;
  after.staleDays = 14;
  REQUIRE(changesOf(before, after) == "health from A2 to A3, stale-days from 7 to 14");
  REQUIRE(changesOf(before, before) == "nothing");
  after = before;
  SECTION("plugins") { after.plugins = {Digest()}; }
  SECTION("signers") { after.signers = {Digest()}; }
  SECTION("versions") { after.minimums = {{}}; }
  SECTION("daemons") { after.daemons = {Digest()}; }
  SECTION("profiles") { after.profiles = {Digest()}; }
  SECTION("quotas") { after.caps.threads = 1; }
  SECTION("ceilings") { after.ceilings = {{}}; }
  SECTION("places outside") { after.egress = {{}}; }
  SECTION("labels for GPUs") { after.gpuLabels = 1; }
  SECTION("a broker") { after.broker = true; }
  REQUIRE(changesOf(before, after) != "nothing");
  REQUIRE(changesOf(after, before) != "nothing");
}

}  // namespace
}  // namespace hearth::devices

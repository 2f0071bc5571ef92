// Who is at a document, between simulated daemons.

#include "tests/simulator/paired-home.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

using devices::Presence;
using Heard = std::vector<std::string>;

constexpr auto S = kj::SECONDS;

struct Watcher final: public Presence::Watcher {
  size_t changes = 0;
  Heard heard;

  void changed() override { ++changes; }
  void said(const DeviceId&, const std::string& value) override { heard.push_back(value); }
};

struct Present: Trio {
  using Trio::Trio;

  Presence& on(Device& device) { return KJ_ASSERT_NONNULL(device.node()).data().presence(); }
  Heard seen(Device& device, const char* document = "notes") {
    Heard values;
    for (auto& there: on(device).at(document)) values.push_back(there.value);
    std::ranges::sort(values);
    return values;
  }
};

TEST_CASE("who is at a document is so on every device, until they leave") {
  Present home;
  Watcher watcher;
  home.on(home.laptop).watch("notes", watcher);
  auto place = home.on(home.phone).enter("notes", "1").value();
  home.on(home.desk).enter("notes", "2").value();
  home.on(home.desk).enter("else", "3").value();
  home.world.run(1 * S);
  for (auto* device: {&home.phone, &home.laptop, &home.desk})
    REQUIRE(home.seen(*device) == Heard{"1", "2"});
  REQUIRE(watcher.changes == 2);
  REQUIRE(home.on(home.phone).become(place, "4").has_value());
  home.world.run(1 * S);
  REQUIRE(home.seen(home.laptop) == Heard{"2", "4"});
  home.on(home.phone).leave(place);
  home.world.run(1 * S);
  REQUIRE(home.seen(home.laptop) == Heard{"2"});
  REQUIRE(home.seen(home.desk) == Heard{"2"});
  home.on(home.laptop).unwatch("notes", watcher);
}

TEST_CASE("what is said reaches whoever watches now, and nobody later") {
  Present home;
  Watcher laptop, late;
  home.on(home.laptop).watch("notes", laptop);
  REQUIRE(home.on(home.phone).say("notes", "\"hello\"").has_value());
  REQUIRE(home.on(home.phone).say("else", "\"hello\"").has_value());
  home.world.run(1 * S);
  home.on(home.desk).watch("notes", late);
  home.world.run(10 * S);
  REQUIRE(laptop.heard == Heard{"\"hello\""});
  REQUIRE(late.heard.empty());
  home.on(home.laptop).unwatch("notes", laptop);
  home.on(home.desk).unwatch("notes", late);
}

TEST_CASE("who comes later sees who is there, and a device that is gone is nowhere") {
  Present home;
  home.on(home.phone).enter("notes", "1").value();
  home.desk.kill();
  home.world.run(5 * S);
  home.desk.start();
  home.world.run(60 * S);
  REQUIRE(home.seen(home.desk) == Heard{"1"});
  home.on(home.desk).enter("notes", "2").value();
  home.world.run(1 * S);
  REQUIRE(home.seen(home.phone) == Heard{"1", "2"});
  home.desk.kill();
  home.world.run(120 * S);
  REQUIRE(home.seen(home.phone) == Heard{"1"});
}

TEST_CASE("a VAULT is told of nobody") {
  Present home(crypto::Role::VAULT);
  home.on(home.phone).enter("notes", "1").value();
  home.world.run(10 * S);
  REQUIRE(home.seen(home.laptop) == Heard{"1"});
  REQUIRE(home.seen(home.desk).empty());
}

TEST_CASE("names, values and apps have their limits") {
  Present home;
  auto& phone = home.on(home.phone);
  auto tooLong = std::string(devices::presence::VALUE_BYTES_MAX + 1, ' ');
  REQUIRE(phone.enter("notes", tooLong).error().code == Errc::BAD_FORMAT);
  REQUIRE(phone.enter("", "1").error().code == Errc::BAD_FORMAT);
  REQUIRE(phone.say("notes", tooLong).error().code == Errc::BAD_FORMAT);
  for (size_t i = 0; i < Presence::PLACES_MAX; ++i) phone.enter("notes", "1").value();
  REQUIRE(phone.enter("notes", "1").error().code == Errc::LIMIT_EXCEEDED);
  home.world.run(5 * S);
  REQUIRE(home.on(home.laptop).places() == Presence::PLACES_MAX);
}

}  // namespace
}  // namespace hearth::sim

// What people call devices, with the shipping code on them: a name means one device, or none.

#include "crypto/identity/display.h"
#include "tests/simulator/paired-home.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

constexpr auto S = kj::SECONDS;

// A phone, the admin, and a laptop.
struct Named: Home {
  Named(): Home(5) {}

  devices::Node& node(const char* name) { return KJ_ASSERT_NONNULL(world.device(name).node()); }
  DeviceId id(const char* name) { return node(name).circle().selfId(); }
  // A device says that it is called so; how that ended.
  Result<void> rename(const char* by, const DeviceId& device, const std::string& name) {
    Result<void> ended = no(Errc::BUSY, "it goes on");
    world.add(node(by).desk().rename(device, name).then([&](Result<void> said) { ended = said; }));
    world.run(30 * S);
    return ended;
  }
};

TEST_CASE("a name that two devices took apart from each other means neither of them") {
  Named home;
  home.world.device("laptop").put({});
  home.world.run(30 * S);
  REQUIRE(home.rename("phone", home.id("phone"), "desk").has_value());
  REQUIRE(home.rename("laptop", home.id("laptop"), "desk").has_value());
  home.world.device("laptop").put({home.wifi});
  home.world.run(60 * S);
  auto& phone = home.node("phone");
  REQUIRE(phone.nameOf(home.id("laptop")) == "desk");
  REQUIRE(phone.device("desk").error().code == Errc::BAD_FORMAT);
  auto laptop = crypto::display(home.id("laptop"));
  REQUIRE(phone.device(laptop.cStr()).value().id == home.id("laptop"));
}

TEST_CASE("a device that is called as the id of another one is not taken for it") {
  Named home;
  auto shown = crypto::display(home.id("phone"));
  REQUIRE(home.rename("laptop", home.id("laptop"), shown.cStr()).has_value());
  for (auto by: {"phone", "laptop"}) {
    REQUIRE(home.node(by).nameOf(home.id("laptop")) == shown.cStr());
    REQUIRE(home.node(by).device(shown.cStr()).value().id == home.id("phone"));
    REQUIRE(home.node(by).device("").error().code == Errc::UNKNOWN_PEER);
  }
}

TEST_CASE("the name of a device that was removed means whoever has it now") {
  Named home;
  auto& phone = home.world.device("phone");
  auto lost = crypto::RemoveReason::LOST;
  home.world.add(home.people.remove(phone, home.world.device("laptop"), lost).ignoreResult());
  home.world.run(10 * S);
  REQUIRE(home.node("phone").device("laptop").value().status == crypto::MemberStatus::REMOVED);
  REQUIRE(home.rename("phone", home.id("phone"), "laptop").has_value());
  REQUIRE(home.node("phone").device("laptop").value().id == home.id("phone"));
}

TEST_CASE("an admin is told what to do when another device does not take its name") {
  Named home;
  auto laptop = home.id("laptop");
  home.world.device("laptop").sleep();
  REQUIRE(home.rename("phone", laptop, "desk").error().code == Errc::STALE);
}

}  // namespace
}  // namespace hearth::sim

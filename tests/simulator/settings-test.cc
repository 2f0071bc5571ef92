// Settings between simulated daemons.

#include "devices/clipboard/clipboard.h"
#include "devices/settings/known-settings.h"
#include "devices/settings/shared-settings.h"
#include "tests/simulator/paired-home.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

using devices::SharedSettings;
using storage::Tree;

constexpr auto S = kj::SECONDS;
constexpr auto YEARS = 365 * kj::DAYS;
const std::string FONT = "editor.font", LIFETIME = devices::CLIPBOARD_LIFETIME;

Tree text(const char* value) { return {std::string(value)}; }

struct Pair: Home {
  Device &one = world.device("phone"), &other = world.device("laptop");

  Pair(): Home(1) {}

  SharedSettings& on(Device& device) { return KJ_ASSERT_NONNULL(device.node()).data().settings(); }
  kj::Maybe<DeviceId> idOf(Device& device) {
    return KJ_ASSERT_NONNULL(device.node()).circle().selfId();
  }
  Errc set(Device& device, std::string key, Tree value, kj::Maybe<DeviceId> of = nullptr,
      kj::Maybe<kj::Duration> lifetime = nullptr) {
    auto code = Errc{};
    world.add(on(device).set(kj::mv(key), kj::mv(value), of, lifetime).then([&](Result<void> done) {
      if (!done) code = done.error().code;
    }));
    world.run(2 * S);
    return code;
  }
  void remove(Device& device, std::string key, kj::Maybe<DeviceId> of = nullptr) {
    world.add(on(device).remove(kj::mv(key), of).ignoreResult());
    world.run(2 * S);
  }
  kj::Maybe<Tree> seen(Device& device, const std::string& key) { return on(device).valueOf(key); }
};

bool is(const kj::Maybe<Tree>& found, const char* value) {
  KJ_IF_MAYBE(tree, found) return *tree == text(value);
  return false;
}

TEST_CASE("a setting holds on every device, and one device's own before it there") {
  Pair home;
  REQUIRE(home.set(home.one, FONT, text("mono")) == Errc{});
  REQUIRE(home.set(home.one, FONT, text("serif"), home.idOf(home.other)) == Errc{});
  REQUIRE(is(home.seen(home.one, FONT), "mono"));
  REQUIRE(is(home.seen(home.other, FONT), "serif"));
  home.remove(home.other, FONT, home.idOf(home.other));
  REQUIRE(is(home.seen(home.other, FONT), "mono"));
  home.remove(home.other, FONT);
  REQUIRE(home.seen(home.one, FONT) == nullptr);
}

TEST_CASE("what is set for a while is over after it, and the former value holds again") {
  Pair home;
  home.set(home.one, FONT, text("mono"));
  home.set(home.one, FONT, text("serif"), nullptr, 60 * S);
  REQUIRE(is(home.seen(home.other, FONT), "serif"));
  bool isTold = false;
  home.world.add(home.on(home.other).changed().then([&]() { isTold = true; }));
  home.world.run(50 * S);
  REQUIRE(is(home.seen(home.other, FONT), "serif"));
  REQUIRE(!isTold);
  home.world.run(10 * S);
  REQUIRE(isTold);
  REQUIRE(is(home.seen(home.one, FONT), "mono"));
  REQUIRE(is(home.seen(home.other, FONT), "mono"));
}

TEST_CASE("what is set for a while by a clock that is off by years holds on no other device") {
  for (auto wrong: {10 * YEARS, 0 * S - 10 * YEARS}) {
    Pair home;
    home.set(home.one, FONT, text("mono"));
    home.one.time.stepWall(wrong);
    home.set(home.one, FONT, text("serif"), nullptr, 60 * S);
    REQUIRE(is(home.seen(home.other, FONT), "mono"));
  }
}

TEST_CASE("keys, values and lifetimes that none can be are refused") {
  Pair home;
  REQUIRE(home.set(home.one, "", text("x")) == Errc::BAD_FORMAT);
  REQUIRE(home.set(home.one, "a b", text("x")) == Errc::BAD_FORMAT);
  REQUIRE(home.set(home.one, std::string(256, 'k'), text("x")) == Errc::BAD_FORMAT);
  REQUIRE(home.set(home.one, LIFETIME, text("soon")) == Errc::BAD_FORMAT);
  REQUIRE(home.set(home.one, LIFETIME, {int64_t{5}}) == Errc::BAD_FORMAT);
  REQUIRE(home.set(home.one, LIFETIME, text("31d")) == Errc::BAD_FORMAT);
  REQUIRE(home.set(home.one, FONT, text("x"), nullptr, 366 * kj::DAYS) == Errc::BAD_FORMAT);
  REQUIRE(home.set(home.one, LIFETIME, text("none")) == Errc{});
}

TEST_CASE("the clipboard goes by its setting") {
  Pair home;
  auto usual = [&](Device& device) {
    return KJ_ASSERT_NONNULL(device.node()).data().usualClipLifetime();
  };
  REQUIRE(KJ_ASSERT_NONNULL(usual(home.one)) == devices::Clipboard::LIFETIME);
  home.set(home.one, LIFETIME, text("5m"));
  REQUIRE(KJ_ASSERT_NONNULL(usual(home.other)) == 5 * kj::MINUTES);
  home.set(home.one, LIFETIME, text("none"), home.idOf(home.other));
  REQUIRE(usual(home.other) == nullptr);
  REQUIRE(KJ_ASSERT_NONNULL(usual(home.one)) == 5 * kj::MINUTES);
}

}  // namespace
}  // namespace hearth::sim

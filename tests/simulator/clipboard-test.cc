// The clipboard between simulated daemons.

#include "devices/clipboard/clipboard.h"
#include "tests/simulator/paired-home.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

using devices::Clipboard;
using Texts = std::vector<std::string>;

constexpr auto S = kj::SECONDS;
constexpr auto YEARS = 365 * kj::DAYS;

std::string textOf(crypto::Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

struct Trio: Home {
  Profile deskKind = profileOf("desk", {});
  Device &phone = world.device("phone"), &laptop = world.device("laptop"), &desk;

  explicit Trio(crypto::Role role = crypto::Role::MEMBER)
      : Home(1),
        desk(world.addDevice("desk", deskKind)) {
    desk.mayVisit(wifi);
    desk.put({wifi});
    desk.powerOn();
    world.add(people.pair(desk, phone, role).ignoreResult());
    world.run(60 * S);
  }

  Clipboard& on(Device& device) { return KJ_ASSERT_NONNULL(device.node()).data().clipboard(); }
  Errc copy(Device& device, kj::StringPtr text, kj::Maybe<kj::Duration> lifetime = 60 * S) {
    Clipboard::Copy copy{.mime = "text/plain", .lifetime = lifetime};
    copy.bytes = kj::heapArray<kj::byte>(text.asBytes());
    auto code = Errc{};
    world.add(on(device).copy(kj::mv(copy)).then([&](Result<Clipboard::View> done) {
      if (!done) code = done.error().code;
    }));
    world.run(1 * S);
    return code;
  }
  void clear(Device& device) {
    world.add(on(device).clear().ignoreResult());
    world.run(1 * S);
  }
  Texts seen(Device& device) {
    Texts texts;
    for (auto& view: on(device).list()) texts.push_back(view.row.preview);
    return texts;
  }
  std::string pasted(Device& device) {
    std::string text;
    world.add(on(device).paste("").then([&](Result<Clipboard::Pasted> found) {
      text = found ? textOf(found->bytes) : found.error().because.cStr();
    }));
    world.run(1 * S);
    return text;
  }
  // Of the database of a daemon that runs: rows, and pages of its write-ahead log.
  size_t rowsOf(Device& device) {
    size_t rows = 0;
    world.add(device.process()
            .database()
            .read([](storage::Database& db) { return storage::clips::all(db).size(); })
            .then([&](size_t found) { rows = found; }));
    world.run(1 * S);
    return rows;
  }
};

TEST_CASE("what is copied on one device is pasted on the others, the newest first") {
  Trio home;
  REQUIRE(home.copy(home.phone, "one") == Errc{});
  REQUIRE(home.copy(home.laptop, "two") == Errc{});
  for (auto* device: {&home.phone, &home.laptop, &home.desk}) {
    REQUIRE(home.seen(*device) == Texts{"two", "one"});
    REQUIRE(home.pasted(*device) == "two");
  }
}

TEST_CASE("an entry is gone everywhere after its time, also where nobody was there meanwhile") {
  Trio home;
  home.copy(home.phone, "gone", 60 * S);
  home.copy(home.phone, "stays", nullptr);
  REQUIRE(home.seen(home.desk) == Texts{"stays", "gone"});
  home.desk.kill();
  home.world.run(60 * S);
  for (auto* device: {&home.phone, &home.laptop}) REQUIRE(home.seen(*device) == Texts{"stays"});
  home.world.run(60 * S);
  home.desk.start();
  home.world.run(30 * S);
  for (auto* device: {&home.phone, &home.laptop, &home.desk}) {
    REQUIRE(home.seen(*device) == Texts{"stays"});
    REQUIRE(home.rowsOf(*device) == 1);
  }
}

TEST_CASE("a device that was away is given what is left of an entry, and no more") {
  Trio home;
  home.desk.kill();
  home.copy(home.phone, "late", 300 * S);
  home.world.run(200 * S);
  home.desk.start();
  home.world.run(60 * S);
  REQUIRE(home.seen(home.desk) == Texts{"late"});
  REQUIRE(home.on(home.desk).list().front().leftMs <= 40'000);
  home.world.run(40 * S);
  REQUIRE(home.seen(home.desk).empty());
}

TEST_CASE("clocks that are off by years neither end an entry early nor keep it") {
  Trio home;
  home.phone.time.stepWall(10 * YEARS);
  home.desk.time.stepWall(-10 * YEARS);
  home.world.run(1 * S);
  home.copy(home.phone, "ahead", 120 * S);
  home.copy(home.desk, "behind", 120 * S);
  home.world.run(100 * S);
  for (auto* device: {&home.phone, &home.laptop, &home.desk})
    REQUIRE(home.seen(*device).size() == 2);
  home.copy(home.laptop, "right", nullptr);
  REQUIRE(home.pasted(home.laptop) == "right");
  home.world.run(30 * S);
  for (auto* device: {&home.phone, &home.laptop, &home.desk})
    REQUIRE(home.seen(*device) == Texts{"right"});
}

TEST_CASE(
    "clearing takes all of it away, also from a device that was away, and what is copied later stays") {
  Trio home;
  home.copy(home.phone, "one", nullptr);
  home.copy(home.laptop, "two", nullptr);
  home.desk.kill();
  home.clear(home.phone);
  home.copy(home.laptop, "three", nullptr);
  home.desk.start();
  home.world.run(60 * S);
  for (auto* device: {&home.phone, &home.laptop, &home.desk}) {
    REQUIRE(home.seen(*device) == Texts{"three"});
    REQUIRE(home.rowsOf(*device) == 1);
  }
}

TEST_CASE("what was acknowledged outlives a kill, and reaches who was away") {
  Trio home;
  home.desk.kill();
  home.copy(home.phone, "kept", 3'000 * S);
  home.phone.kill();
  home.phone.start();
  home.desk.start();
  home.world.run(60 * S);
  REQUIRE(home.seen(home.phone) == Texts{"kept"});
  REQUIRE(home.seen(home.desk) == Texts{"kept"});
}

TEST_CASE("a VAULT is given nothing of the clipboard, and has none") {
  Trio home(crypto::Role::VAULT);
  home.copy(home.phone, "mine", nullptr);
  home.world.run(10 * S);
  REQUIRE(home.seen(home.laptop) == Texts{"mine"});
  REQUIRE(home.seen(home.desk).empty());
  REQUIRE(home.copy(home.desk, "its own") == Errc::NOT_AUTHORISED);
}

TEST_CASE("sizes, types and lifetimes have their limits") {
  Trio home;
  auto most = kj::heapString(devices::Clip::BYTES_MAX + 1);
  memset(most.begin(), 'x', most.size());
  REQUIRE(home.copy(home.phone, most) == Errc::LIMIT_EXCEEDED);
  REQUIRE(home.copy(home.phone, "x", 100 * kj::MILLISECONDS) == Errc::BAD_FORMAT);
  REQUIRE(home.copy(home.phone, "x", 31 * kj::DAYS) == Errc::BAD_FORMAT);
  REQUIRE(home.copy(home.phone, kj::str(most.slice(1)), nullptr) == Errc{});
  home.world.run(10 * S);
  REQUIRE(home.on(home.laptop).list().front().row.bytes == devices::Clip::BYTES_MAX);
}

TEST_CASE("nobody is woken by a clipboard in which nothing has a lifetime") {
  Trio home;
  home.copy(home.phone, "kept", nullptr);
  home.world.run(10 * S);
  REQUIRE(home.on(home.phone).list().front().leftMs == 0);
}

}  // namespace
}  // namespace hearth::sim

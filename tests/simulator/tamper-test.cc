#include "simulator/wire/tamperer.h"
#include "tests/simulator/paired-home.h"
#include "tests/simulator/post.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

constexpr auto S = kj::SECONDS;

std::string textOf(const Tamperer::Passed& passed) {
  std::string all;
  for (auto& piece: passed.pieces) all.append(piece.asChars().begin(), piece.size());
  return all;
}

TEST_CASE("a tamperer that is not asked to changes nothing") {
  Tamperer tamperer(Chance(1));
  for (int i = 0; i < 100; ++i) {
    auto passed = tamperer.pass(kj::heapArray<kj::byte>("hello"_kj.asBytes()), 0);
    REQUIRE(!passed.changed);
    REQUIRE(textOf(passed) == "hello");
  }
}

TEST_CASE("a tamperer shortens, lengthens, withholds, repeats and flips") {
  Tamperer tamperer(Chance(1));
  bool shorter = false, longer = false, none = false, repeated = false, flipped = false;
  for (int i = 0; i < 200; ++i) {
    auto text = kj::str("segment ", 100 + i);
    auto before = kj::str("segment ", 99 + i);
    auto passed = tamperer.pass(kj::heapArray<kj::byte>(text.asBytes()), 1'000);
    REQUIRE(passed.changed);
    auto got = textOf(passed);
    shorter = shorter || (!got.empty() && got.size() < text.size());
    longer = longer || (got.size() > text.size() && passed.pieces.size() == 1);
    none = none || got.empty();
    repeated = repeated || got == std::string(text.cStr()) + before.cStr();
    flipped = flipped || (got.size() == text.size() && got != text.cStr());
  }
  REQUIRE((shorter && longer && none && repeated && flipped));
}

TEST_CASE("what a tamperer held back follows what overtook it") {
  Tamperer tamperer(Chance(1));
  bool held = false;
  for (int i = 0; i < 100 && !held; ++i)
    held = tamperer.pass(kj::heapArray<kj::byte>("first"_kj.asBytes()), 1'000).pieces.empty();
  REQUIRE(held);
  auto passed = tamperer.pass(kj::heapArray<kj::byte>("second"_kj.asBytes()), 0);
  REQUIRE(textOf(passed) == "secondfirst");
}

TEST_CASE("an empty piece never goes on, however short what came") {
  Tamperer tamperer(Chance(1));
  for (int i = 0; i < 200; ++i) {
    auto passed = tamperer.pass(kj::heapArray<kj::byte>({7}), 1'000);
    REQUIRE(std::ranges::none_of(passed.pieces, [](auto& piece) { return piece.size() == 0; }));
  }
}

TEST_CASE("a stream through somebody who tampers is not what was written, the way back is") {
  Wires world;
  world.join(world.lan(), {0, 1});
  auto pair = world.connect(0, 1);
  world.terrain.trouble(0, 1).tampered = 500;
  std::string sent;
  for (int i = 0; i < 100; ++i) {
    auto text = kj::str("word ", i, "\n");
    sent += text.cStr();
    auto there = world.write(pair.caller, text);
    auto back = world.write(pair.called, text);
    world.run(1 * S);
  }
  pair.caller->shutdownWrite();
  pair.called->shutdownWrite();
  auto there = world.read(pair.called, 1 << 20), back = world.read(pair.caller, 1 << 20);
  world.run(1 * S);
  REQUIRE(**there != sent);
  REQUIRE(**back == sent);
  REQUIRE(world.tamperings > 20);
}

TEST_CASE("datagrams are tampered with one by one") {
  Wires world;
  world.join(world.lan(), {0, 1});
  Post here(world, 0), there(world, 1);
  world.terrain.trouble(0, 1).tampered = 500;
  for (int i = 0; i < 100; ++i) here.send("10.0.0.1", "hello");
  world.run(1 * S);
  auto whole = std::ranges::count(there.texts(), "hello");
  REQUIRE((whole > 40 && whole < 90));
  REQUIRE(world.tamperings > 30);
}

// Somebody on the way between the two of a home that are paired.
void tamperBetween(World& world, uint32_t permille) {
  world.terrain.trouble(0, 1).tampered = world.terrain.trouble(1, 0).tampered = permille;
}

TEST_CASE("a dictation over a tampered link arrives whole and once, and no stage has failed") {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    Home home(seed);
    tamperBetween(home.world, 30);
    auto& phone = home.world.device("phone");
    auto& dictation = home.people.dictate(phone, phone, 40, 8);
    home.world.run(30 * S);
    tamperBetween(home.world, 0);
    home.world.run(60 * S);
    REQUIRE(home.world.tamperings() > 0);
    REQUIRE(dictation.state == "done");
    REQUIRE(dictation.heard == dictation.said);
    REQUIRE(std::ranges::count(dictation.events, "failed") == 0);
  }
}

bool seesAnother(Device& device) {
  auto views = KJ_ASSERT_NONNULL(device.node()).devices();
  return std::ranges::count_if(views, [](auto& view) { return view.reachable; }) ==
      2;  // and itself
}

// What opens RPC may be kept back, and then one side holds a link that is of no use.
TEST_CASE("two devices whose links were tampered with as they were made find each other again") {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Home home(seed);
    auto &phone = home.world.device("phone"), &laptop = home.world.device("laptop");
    tamperBetween(home.world, 200);
    laptop.kill();
    laptop.start();
    home.world.run(5 * S);
    tamperBetween(home.world, 0);
    home.world.run(90 * S);
    REQUIRE(seesAnother(phone));
    REQUIRE(seesAnother(laptop));
  }
}

// A home in which the laptop waits to be brought in.
struct Waiting {
  Profile phone = profileOf("phone", {"audio.vad"});
  Profile laptop = profileOf("laptop", {"audio.transcribe", "text.format"});
  World world;
  std::vector<std::string> outcome;  // of the admin, and of the new device
  kj::Duration confirmsAfter = 0 * S;

  explicit Waiting(uint64_t seed): world(seed) {
    auto wifi = world.addNetwork(NetworkKind{.name = "wifi"});
    for (auto profile: {&phone, &laptop}) {
      auto& device = world.addDevice(profile->name, *profile);
      device.mayVisit(wifi);
      device.put({wifi});
      device.powerOn();
    }
    world.add(world.device("phone").init());
    world.run(1 * S);
  }

  static std::string nameOf(const Error& error) { return hearth::nameOf(error.code).cStr(); }

  // Says yes after a while.
  struct Person final: devices::PairingPerson {
    Waiting& waiting;
    explicit Person(Waiting& waiting): waiting(waiting) {}
    kj::Promise<bool> compare(const crypto::Sas&) override { return true; }
    kj::Promise<bool> confirm(const devices::DeviceView&) override {
      co_await waiting.world.time.after(waiting.confirmsAfter);
      co_return true;
    }
    void waits(const devices::PendingView&) override { KJ_UNREACHABLE; }
  };

  kj::Promise<void> pair() {
    auto& fresh = world.device("laptop");
    auto shown = kj::newPromiseAndFulfiller<kj::String>();
    auto joining = fresh.join([fulfiller = kj::mv(shown.fulfiller)](
                                  kj::String code) mutable { fulfiller->fulfill(kj::mv(code)); });
    auto text = co_await shown.promise;
    auto code = crypto::PairingCode::parse(text.asBytes());
    auto& node = KJ_ASSERT_NONNULL(world.device("phone").node());
    Person person(*this);
    auto answer =
        co_await node.pair(kj::mv(*code), {fresh.address(0)}, crypto::Role::MEMBER, person);
    outcome.push_back(answer ? "paired" : nameOf(answer.error()));
    auto joined = co_await joining;
    outcome.push_back(joined ? "joined" : nameOf(joined.error()));
  }
};

TEST_CASE("a pairing in which every message is changed fails by name, and nobody has joined") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Waiting home(seed);
    tamperBetween(home.world, 1'000);
    home.world.add(home.pair());
    home.world.run(5 * kj::MINUTES);
    REQUIRE(home.world.tamperings() > 0);
    REQUIRE(home.outcome.size() == 2);
    REQUIRE(home.outcome[0] != "paired");
    REQUIRE(home.outcome[1] != "joined");
    REQUIRE(!home.world.device("laptop").inCircle());
    auto& node = KJ_ASSERT_NONNULL(home.world.device("phone").node());
    REQUIRE(node.circle().state().countActive() == 1);
    REQUIRE(home.world.errors().empty());
  }
}

TEST_CASE("a pairing in which some messages are changed ends by name on both sides") {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Waiting home(seed);
    home.confirmsAfter = 5 * S;
    tamperBetween(home.world, 200);
    home.world.add(home.pair());
    home.world.run(5 * kj::MINUTES);
    REQUIRE(home.outcome.size() == 2);
    // The new device has joined only if the admin has welcomed it.
    REQUIRE((home.outcome[1] != "joined" || home.outcome[0] == "paired"));
    REQUIRE(home.world.errors().empty());
  }
}

}  // namespace
}  // namespace hearth::sim

// How soon a link carries data: whoever calls does not wait to be told that a session begins.

#include "tests/simulator/wires.h"
#include "tests/transport/circle-device.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

constexpr auto MS = kj::MILLISECONDS;
constexpr uint32_t ROUND_TRIP_MS = 20;  // of Wires::lan()

// Two devices with their shipping links, of which either may call the other.
struct Two final: Wires {
  struct End {
    transport::Device device;
    kj::Own<kj::AsyncIoStream> sending;
    kj::Own<Watched<bool>> written;
    kj::Own<Watched<std::string>> read;
    kj::Maybe<kj::Duration> upAt, readAt;

    explicit End(kj::byte seed): device(seed) {}
  };
  End small, great;  // by id: the first one chooses

  explicit Two(NetworkKind kind = lan(), uint64_t seed = 1)
      : Wires(seed),
        small(seedOf(true)),
        great(seedOf(false)) {
    join(kj::mv(kind), {0, 1});
    small.device.know(great.device);
    great.device.know(small.device);
    begin(small, 0);
    begin(great, 1);
  }
  ~Two() {
    small.device.links = nullptr;
    great.device.links = nullptr;
  }

  void callFrom(End& end) {
    bool isSmall = &end == &small;
    auto& peer = isSmall ? great : small;
    auto ip = toText(Terrain::addressIn(0, isSmall ? 1 : 0));
    end.device.links->setAddresses(
        peer.device.keys.id, {std::string(ip.cStr()) + ":" + std::to_string(PORT)});
  }

  // Each end sends as soon as its peer is up.
  void watchBoth(kj::Duration time) {
    for (auto until = this->time.elapsed() + time; this->time.elapsed() < until;) {
      run(1 * MS);
      look(small, great);
      look(great, small);
    }
  }
  bool hasRead(End& end, kj::StringPtr text) {
    return end.read.get() != nullptr && end.read->value != nullptr &&
        KJ_ASSERT_NONNULL(end.read->value) == text.cStr();
  }

 private:
  static kj::byte seedOf(bool smaller) {
    bool oneIsSmaller = transport::Device(1).keys.id < transport::Device(2).keys.id;
    return oneIsSmaller == smaller ? 1 : 2;
  }
  void begin(End& end, DeviceIndex index) {
    end.device.start(boxes[index]->clock.timer(), boxes[index]->stack);
    auto address = watch(boxes[index]->stack.parseAddress(kj::str("*:", PORT)));
    run(0 * kj::SECONDS);
    end.device.links->serve(KJ_ASSERT_NONNULL(address->value)->listen());
  }
  void look(End& end, End& peer) {
    auto& id = peer.device.keys.id;
    if (end.upAt == nullptr && end.device.links->isUp(id)) {
      end.upAt = time.elapsed();
      kj::byte header[] = {2};
      end.sending = end.device.links->open(id, transport::Lane::INTERACTIVE, header).value();
      end.written = write(end.sending, "hello");
      run(0 * MS);
    }
    if (end.read.get() == nullptr && !end.device.streams.empty())
      end.read = read(end.device.streams.front(), 5);
    if (end.readAt == nullptr && hasRead(end, "hello")) end.readAt = time.elapsed();
  }
};

// The call's own round trip is that of TCP: only then is the carrier up.
kj::Duration afterCarrier(kj::Duration at, kj::Duration called) {
  return at - called - ROUND_TRIP_MS * MS;
}

TEST_CASE("data of whoever calls is there one and a half round trips after the carrier is up") {
  for (bool chooserCalls: {true, false}) {
    CAPTURE(chooserCalls);
    Two two;
    auto& caller = chooserCalls ? two.small : two.great;
    auto& called = chooserCalls ? two.great : two.small;
    auto begun = two.time.elapsed();
    two.callFrom(caller);
    two.watchBoth(200 * MS);
    REQUIRE(afterCarrier(KJ_REQUIRE_NONNULL(caller.upAt), begun) <= (ROUND_TRIP_MS + 1) * MS);
    REQUIRE(
        afterCarrier(KJ_REQUIRE_NONNULL(called.readAt), begun) <= (ROUND_TRIP_MS * 3 / 2 + 2) * MS);
    REQUIRE(two.hasRead(caller, "hello"));
    REQUIRE(caller.device.log == std::vector<std::string>{"up"});
    REQUIRE(called.device.log == std::vector<std::string>{"up"});
  }
}

TEST_CASE(
    "two that call each other at once lose nothing of what they sent before they knew, 300 seeds") {
  size_t apart = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    auto kind = Wires::lan();
    kind.latencyMin = 1 * MS;
    kind.latencyMax = 30 * MS;
    Two two(kj::mv(kind), seed);
    two.callFrom(seed % 2 == 0 ? two.small : two.great);
    two.run((seed % 40) * MS);
    two.callFrom(seed % 2 == 0 ? two.great : two.small);
    two.watchBoth(1 * kj::SECONDS);
    REQUIRE(two.hasRead(two.small, "hello"));
    REQUIRE(two.hasRead(two.great, "hello"));
    REQUIRE(two.small.device.log == std::vector<std::string>{"up"});
    REQUIRE(two.great.device.log == std::vector<std::string>{"up"});
    auto views = two.small.device.links->views();
    apart += !views.empty() && views.front().carriers > 1;
  }
  REQUIRE(apart > 10);  // moved from one of the two links to the other
}

}  // namespace
}  // namespace hearth::sim

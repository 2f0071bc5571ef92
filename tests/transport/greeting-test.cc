#include "tests/transport/datagram-wire.h"
#include "transport/datagram/greeting.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::transport {
namespace {

constexpr auto S = kj::SECONDS;

struct Door {
  LuckyEntropy entropy{1};
  crypto::DhPublic self = entropy.draw<crypto::DhPublic>();
  crypto::GateKeys gate = crypto::GateKeys::forLink(self);
  kj::TimePoint now = kj::origin<kj::TimePoint>() + 1 * kj::HOURS;
  Doorkeeper keeper{gate, entropy, now};
  Caller caller{gate, entropy};
  UdpAddress place = DatagramWire::place(7);

  crypto::Buffer cookie() {
    auto answer = keeper.answer(caller.call(), place, now);
    return kj::mv(KJ_REQUIRE_NONNULL(answer));
  }
  // The caller's first packet behind that cookie.
  crypto::Buffer opening(const Introduction& known) const {
    auto out = kj::heapArray<kj::byte>(OPENING_HEADER_BYTES + 1 + TAG_BYTES);
    writeHeader({PacketKind::OPENING, known.called, known.caller, 0}, out);
    writeFrames({.ping = true}, out.slice(OPENING_HEADER_BYTES, out.size()));
    writeTag(known.keys.sending, 0, out);
    return out;
  }
  bool admits(crypto::Bytes datagram, const UdpAddress& from) {
    return keeper.admit(readPacket(datagram).value(), datagram, from, now) != nullptr;
  }
};

TEST_CASE(
    "T15: a call is answered by a cookie, and the cookie opens the door at its address alone") {
  Door door;
  auto known = door.caller.takeCookie(door.cookie()).value();
  auto opening = door.opening(known);
  REQUIRE(door.admits(opening, door.place));
  REQUIRE(!door.admits(opening, DatagramWire::place(8)));
  opening[opening.size() - 1] ^= 1;
  REQUIRE(!door.admits(opening, door.place));
}

TEST_CASE(
    "T15: who does not know the device is not answered, nor a call that is short or of another version") {
  Door door;
  auto call = door.caller.call();
  REQUIRE(call.size() == CALL_BYTES);
  REQUIRE(door.keeper.answer(call.slice(0, CALL_BYTES - 1), door.place, door.now) == nullptr);
  call[1] ^= 3;
  REQUIRE(door.keeper.answer(call, door.place, door.now) == nullptr);
  Caller stranger(crypto::GateKeys::forLink(door.entropy.draw<crypto::DhPublic>()), door.entropy);
  REQUIRE(door.keeper.answer(stranger.call(), door.place, door.now) == nullptr);
}

TEST_CASE("T15: an answer is shorter than a thirteenth of what it answers") {
  Door door;
  REQUIRE(door.cookie().size() * 13 < CALL_BYTES);
}

TEST_CASE("a cookie is good for two minutes at least and four at most") {
  Door door;
  auto opening = door.opening(door.caller.takeCookie(door.cookie()).value());
  door.now += Doorkeeper::SECRET_LIFETIME;
  REQUIRE(door.admits(opening, door.place));
  door.now += Doorkeeper::SECRET_LIFETIME - 1 * S;
  REQUIRE(door.admits(opening, door.place));
  door.now += 1 * S;
  REQUIRE(!door.admits(opening, door.place));
}

TEST_CASE("secrets that were not renewed for long are not believed afterwards") {
  Door door;
  auto opening = door.opening(door.caller.takeCookie(door.cookie()).value());
  door.now += 2 * Doorkeeper::SECRET_LIFETIME;
  REQUIRE(!door.admits(opening, door.place));
}

TEST_CASE("a caller takes no cookie that is changed, cut or for another call") {
  Door door;
  auto cookie = door.cookie();
  REQUIRE(!Caller(door.gate, door.entropy).takeCookie(cookie));
  REQUIRE(!door.caller.takeCookie(cookie.slice(0, cookie.size() - 1)));
  cookie[cookie.size() - 1] ^= 1;
  REQUIRE(!door.caller.takeCookie(cookie));
}

TEST_CASE("two calls from one place begin two conversations") {
  Door door;
  auto one = door.caller.takeCookie(door.cookie()).value();
  Caller second(door.gate, door.entropy);
  auto answer = door.keeper.answer(second.call(), door.place, door.now);
  auto other = second.takeCookie(KJ_REQUIRE_NONNULL(answer)).value();
  REQUIRE(one.called != other.called);
  REQUIRE(!one.keys.sending.equals(other.keys.sending));
}

}  // namespace
}  // namespace hearth::transport

// RESUME on links: what a device does about a peer that speaks by hand, and as it likes.
#include "tests/transport/cut-wires.h"
#include "transport/link/link-frames.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::transport {
namespace {

using crypto::Frame;
using Strings = std::vector<std::string>;

// The peer's end of one link: it has shaken hands, and says what the test tells it to.
class Hand final {
 public:
  Hand(kj::Own<kj::AsyncIoStream> stream, kj::WaitScope& scope)
      : carrier(kj::mv(stream)),
        scope(scope) {}

  Carrier carrier;

  void has(Handshake made) {
    index = made.session.peerIndex;
    sending.emplace(kj::mv(made.session.keys.i2r));
    receiving.emplace(kj::mv(made.session.keys.r2i));
  }
  void say(uint8_t type, kj::ArrayPtr<const kj::byte> body) {
    auto record = crypto::sealData(
        KJ_ASSERT_NONNULL(sending), index, type, body, crypto::Padding::INTERACTIVE);
    tell(kj::mv(record.value()));
    scope.poll();
  }
  void confirm() {
    constexpr kj::byte HEADS[] = {1, 2, 3};
    say(number(Frame::CONFIRM), HEADS);
  }
  void resume(const Resume& frame) { say(RESUME, encode(frame)); }
  // The body of the next frame of that type; none: the link has ended before one came.
  kj::Maybe<crypto::Buffer> hear(uint8_t type) {
    for (;;) {
      auto reading = carrier.read(crypto::DATA_BYTES_MAX);
      KJ_ASSERT(reading.poll(scope), "the device says nothing");
      kj::Maybe<Record> record;
      auto atEnd =
          kj::runCatchingExceptions([&]() { record = reading.wait(scope).value(); }) != nullptr;
      if (atEnd) return nullptr;
      auto frame =
          crypto::openData(KJ_ASSERT_NONNULL(receiving), KJ_ASSERT_NONNULL(record).body).value();
      if (frame.type == type) return kj::heapArray<kj::byte>(frame.body);
    }
  }
  Resume hearResume() { return readResume(KJ_REQUIRE_NONNULL(hear(RESUME))).value(); }
  bool hasEnded() {
    constexpr uint8_t NONE = 31;
    return hear(NONE) == nullptr;
  }
  bool hearsGoodbye(Errc why) {
    auto body = hear(number(Frame::CLOSE));
    return body != nullptr && KJ_ASSERT_NONNULL(body)[0] == static_cast<kj::byte>(why);
  }

 private:
  kj::WaitScope& scope;
  uint32_t index = 0;
  kj::Maybe<crypto::SendingKey> sending;
  kj::Maybe<crypto::ReceivingKey> receiving;

  void tell(crypto::Buffer record) {
    auto sent = kj::runCatchingExceptions([&]() { carrier.write(kj::mv(record)).wait(scope); });
    (void)sent;  // to a device that has hung up already
  }
};

// A device with its shipping Links, and a peer that calls it by hand, as often as it likes.
struct ByHand {
  kj::EventLoop loop;
  kj::WaitScope scope{loop};
  kj::TimerImpl timer{kj::origin<kj::TimePoint>() + 1 * kj::HOURS};
  NoNetwork network;
  Device one{1}, other{2};
  Device &device, &peer;
  std::list<Hand> hands;
  uint32_t nextIndex = 1;
  SessionToken token;

  explicit ByHand(bool peerChooses)
      : device((one.keys.id < other.keys.id) == peerChooses ? other : one),
        peer(&device == &one ? other : one) {
    token.bytes[0] = 5;
    device.know(peer);
    peer.know(device);
    device.start(timer, network);
  }
  ~ByHand() { device.links = nullptr; }

  kj::Promise<Result<Handshake>> shake(Hand& hand, bool resync = false) {
    HandshakeTools tools{timer, peer.entropy, peer.guard, peer};
    return initiate(tools, hand.carrier, device.keys.id, nextIndex++, resync);
  }
  // No faster than the gate lets one address call.
  Hand& begin() {
    timer.advanceTo(timer.now() + 1 * kj::SECONDS / Gate::SOURCE_INITIATIONS_MAX);
    auto pipe = kj::newTwoWayPipe();
    device.links->answerOn(kj::mv(pipe.ends[0]), Path());
    return hands.emplace_back(kj::mv(pipe.ends[1]), scope);
  }
  // A link that is still to be confirmed.
  Hand& shaken(bool resync = false) {
    auto& hand = begin();
    hand.has(shake(hand, resync).wait(scope).value());
    return hand;
  }
  Hand& confirmed() {
    auto& hand = shaken();
    hand.confirm();
    return hand;
  }
  // A link over which a session has begun, with the first number.
  Hand& carrying() {
    auto& hand = confirmed();
    hand.resume({token, 1, 0, {}});
    REQUIRE(hand.hearResume() == Resume{token, 1, 1, {}});
    return hand;
  }
  uint32_t carriers() {
    auto views = device.links->views();
    return views.empty() ? 0 : views.front().carriers;
  }
};

TEST_CASE("a session begins, and goes on over another link, as the one that chooses says") {
  ByHand two(true);
  auto& first = two.carrying();
  REQUIRE(two.device.log == Strings({"up"}));
  auto& second = two.confirmed();
  second.resume({two.token, 2, 1, {}});
  REQUIRE(second.hearResume().begun == 1);
  REQUIRE(first.hearsGoodbye(Errc::BUSY));
  REQUIRE(two.carriers() == 2);
  REQUIRE(two.device.log == Strings({"up"}));
}

TEST_CASE("a second RESUME on a link ends it, and the session with it") {
  ByHand two(true);
  auto& hand = two.carrying();
  hand.resume({two.token, 2, 1, {}});
  REQUIRE(hand.hasEnded());
  REQUIRE(two.device.log == Strings({"up", "down: a second RESUME"}));
}

TEST_CASE("nothing comes of a frame of the lanes that its caller sends before RESUME") {
  ByHand two(true);
  two.carrying();
  auto& hand = two.confirmed();
  FlatWriter open;
  open.u32(1).u8(static_cast<uint8_t>(Lane::BULK)).u32(1'000).u16(0);
  hand.say(static_cast<uint8_t>(LaneFrame::OPEN), open.asBytes());
  hand.resume({two.token, 2, 1, {}});
  REQUIRE(hand.hearResume().states.newestOfPeer == 0);
  REQUIRE(two.device.log == Strings({"up"}));
  REQUIRE(two.device.streams.empty());
  REQUIRE(two.carriers() == 2);
}

TEST_CASE("a RESUME that cannot be ends its link, and not what goes over another") {
  ByHand two(true);
  two.carrying();
  auto& hand = two.confirmed();
  hand.resume({two.token, 2, 0, {1, {}}});  // states of what has not begun
  REQUIRE(hand.hasEnded());
  REQUIRE(two.device.log == Strings({"up"}));
  REQUIRE(two.carriers() == 1);
}

TEST_CASE("a RESUME that comes behind a newer one is told so, and the session stays where it is") {
  ByHand two(true);
  two.carrying();
  auto& late = two.confirmed();
  auto& newer = two.confirmed();
  newer.resume({two.token, 3, 1, {}});
  REQUIRE(newer.hearResume().number == 3);
  late.resume({two.token, 2, 1, {}});
  REQUIRE(late.hearsGoodbye(Errc::BUSY));
  REQUIRE(two.carriers() == 2);
  REQUIRE(two.device.log == Strings({"up"}));
}

TEST_CASE("a peer that has what was never sent ends the session") {
  ByHand two(true);
  two.carrying();
  auto& hand = two.confirmed();
  hand.resume({two.token, 2, 1, {99, {}}});
  REQUIRE(hand.hasEnded());
  REQUIRE(
      two.device.log == Strings({"up", "down: a session resumed by a peer that did not have it"}));
  REQUIRE(two.carriers() == 0);
}

TEST_CASE("a RESUME on a link for membership alone ends it") {
  ByHand two(true);
  two.carrying();
  auto& hand = two.shaken(true);
  hand.confirm();
  hand.resume({two.token, 2, 1, {}});
  REQUIRE(hand.hasEnded());
  REQUIRE(two.carriers() == 1);
}

TEST_CASE("the one that chooses takes the answer to its RESUME, and no other") {
  auto answered = [](auto change) {
    ByHand two(false);
    auto& hand = two.confirmed();
    auto answer = hand.hearResume();
    REQUIRE(answer.number == 1);
    REQUIRE(answer.begun == 0);
    answer.begun = 1;
    change(answer);
    hand.resume(answer);
    return two.carriers() == 1;
  };
  REQUIRE(answered([](Resume&) {}));
  REQUIRE_FALSE(answered([](Resume& answer) { answer.number = answer.begun = 2; }));
  REQUIRE_FALSE(answered([](Resume& answer) { answer.begun = 0; }));
  REQUIRE_FALSE(answered([](Resume& answer) { answer.token.bytes[0] ^= 1; }));
}

TEST_CASE("the time in which a session had to be taken up again is not that of the next one") {
  ByHand two(false);
  auto& first = two.confirmed();
  first.resume({first.hearResume().token, 1, 1, {}});
  REQUIRE(two.carriers() == 1);
  two.hands.pop_front();  // cut: the session waits
  auto& second = two.confirmed();
  REQUIRE(second.hearResume().begun == 1);
  constexpr kj::byte REASON[] = {static_cast<kj::byte>(Errc::STALE)};
  second.say(number(Frame::CLOSE), REASON);  // and is over
  two.timer.advanceTo(two.timer.now() + Links::RESUME_WITHIN - 200 * kj::MILLISECONDS);
  auto& third = two.confirmed();
  auto next = third.hearResume();
  REQUIRE(next.begun == 0);
  two.timer.advanceTo(two.timer.now() + 300 * kj::MILLISECONDS);
  two.scope.poll();
  third.resume({next.token, 1, 1, {}});
  REQUIRE(two.carriers() == 1);
}

// Whichever is first, in all the turns of the loop that shaking hands takes.
TEST_CASE("a link that is confirmed as it gives way to another caller's carries nothing") {
  constexpr kj::uint TURNS = 100;
  ByHand two(false);
  std::list<Hand*> silent;
  size_t chosen = 0, hungUpOn = 0;
  for (kj::uint turns = 0; turns < TURNS; ++turns) {
    while (silent.size() < Links::UNCONFIRMED_MAX) silent.push_back(&two.shaken());
    auto& oldest = *silent.front();
    silent.pop_front();
    auto& newest = two.begin();
    auto shaking = two.shake(newest).eagerlyEvaluate(nullptr);
    two.scope.poll(turns);
    oldest.confirm();
    newest.has(shaking.wait(two.scope).value());
    silent.push_back(&newest);
    ++(oldest.hear(RESUME) != nullptr ? chosen : hungUpOn);
    two.hands.remove_if([&](auto& hand) { return &hand == &oldest; });
    two.scope.poll();
  }
  REQUIRE(chosen > 0);
  REQUIRE(hungUpOn > 0);
}

}  // namespace
}  // namespace hearth::transport

#include "router/engine/protocol/session.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

namespace hearth::engine {
namespace {

using State = EngineSession::State;

constexpr kj::TimePoint T0 = kj::origin<kj::TimePoint>();
constexpr EngineSession::Limits LIMITS{.bodyBytesMax = 1'000, .silenceMax = 10 * kj::SECONDS};

// A session and a plugin's messages to it.
struct Talk {
  EngineSession session{LIMITS, T0};

  Result<kj::Maybe<PluginMessage>> says(
      uint8_t type, uint64_t job, const FlatWriter& body, kj::TimePoint now = T0) {
    EngineHeader header{static_cast<uint32_t>(body.size()), type, job};
    return session.received(header, body.asBytes(), now);
  }
  Result<kj::Maybe<PluginMessage>> saysReady() {
    FlatWriter body;
    body.u16(ENGINE_ABI).var8("p"_kj.asBytes());
    return says(ENGINE_READY, 0, body);
  }
  Result<kj::Maybe<PluginMessage>> saysOut(uint64_t seq, uint8_t flags = 0, uint64_t job = 1) {
    FlatWriter body;
    body.u8(0).u8(flags).u64(seq).u64(0).u8(0).u32(0);
    return says(ENGINE_OUT, job, body);
  }
  Result<kj::Maybe<PluginMessage>> saysCut(uint64_t seq, std::vector<uint64_t> inUpto) {
    FlatWriter body;
    body.u8(0).u8(0).u64(seq).u64(0).u8(1).u8(static_cast<uint8_t>(inUpto.size()));
    for (auto upto: inUpto) body.u64(upto);
    body.u8(0).u32(0);
    return says(ENGINE_OUT, 1, body);
  }
  Result<kj::Maybe<PluginMessage>> saysConsumed(
      uint8_t port, uint64_t seq, kj::TimePoint now = T0) {
    FlatWriter body;
    body.u8(port).u64(seq);
    return says(ENGINE_CONSUMED, 1, body, now);
  }
  void isOpen() {
    REQUIRE(saysReady());
    session.open({.task = "t"}, T0);
    REQUIRE(says(ENGINE_OPENED, 1, {}));
  }
  void isSent(uint64_t seq, kj::TimePoint now = T0) {
    EngineFrame frame{.seq = seq};
    REQUIRE(session.frame(frame, now).size() > 0);
  }
};

TEST_CASE("a session walks from start to idle, through a job, and back to idle") {
  Talk talk;
  REQUIRE(talk.session.state() == State::STARTING);
  talk.isOpen();
  REQUIRE(talk.session.state() == State::OPEN);
  talk.isSent(1);
  REQUIRE(talk.saysOut(1));
  REQUIRE(talk.saysConsumed(0, 1));
  talk.session.close(T0);
  REQUIRE(talk.says(ENGINE_CLOSED, 1, {}));
  REQUIRE(talk.session.state() == State::IDLE);
  talk.session.open({.task = "t"}, T0);
  REQUIRE(talk.says(ENGINE_OPENED, 1, {}).error().code == Errc::INTEGRITY_FAILED);  // the old job
  REQUIRE(talk.says(ENGINE_OPENED, 2, {}));
}

TEST_CASE("no more than 32 frames are unconsumed") {
  Talk talk;
  talk.isOpen();
  for (uint64_t seq = 1; seq <= ENGINE_UNCONSUMED_MAX; ++seq) {
    REQUIRE(talk.session.mayWrite());
    talk.isSent(seq);
  }
  REQUIRE(!talk.session.mayWrite());
  REQUIRE(talk.saysConsumed(0, 3));
  REQUIRE(talk.session.framesUnconsumed() == ENGINE_UNCONSUMED_MAX - 3);
}

TEST_CASE("messages out of turn are refused") {
  FlatWriter failed;
  failed.u16(1).var8(nullptr);
  Talk starting;
  REQUIRE(starting.saysOut(1).error().code == Errc::INTEGRITY_FAILED);
  Talk idle;
  REQUIRE(idle.saysReady());
  REQUIRE(idle.saysReady().error().code == Errc::BAD_FORMAT);
  REQUIRE(idle.says(ENGINE_CLOSED, 0, {}).error().code == Errc::INTEGRITY_FAILED);
  Talk open;
  open.isOpen();
  REQUIRE(open.says(ENGINE_OPENED, 1, {}).error().code == Errc::BAD_FORMAT);
  REQUIRE(open.says(ENGINE_CLOSED, 1, {}).error().code == Errc::BAD_FORMAT);
  REQUIRE(open.says(ENGINE_PONG, 0, {}).error().code == Errc::BAD_FORMAT);
  REQUIRE(open.says(ENGINE_FAILED, 1, failed));
  REQUIRE(open.says(ENGINE_FAILED, 1, failed).error().code == Errc::BAD_FORMAT);
  REQUIRE(open.saysOut(1).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("output is numbered without gaps and nothing follows END") {
  Talk talk;
  talk.isOpen();
  REQUIRE(talk.saysOut(1));
  REQUIRE(talk.saysOut(1).error().code == Errc::INTEGRITY_FAILED);
  REQUIRE(talk.saysOut(3).error().code == Errc::INTEGRITY_FAILED);
  REQUIRE(talk.saysOut(2, ENGINE_FLAG_END));
  REQUIRE(talk.saysOut(3).error().code == Errc::INTEGRITY_FAILED);
}

TEST_CASE("cuts go forward and name only what was sent") {
  Talk talk;
  talk.isOpen();
  for (uint64_t seq = 1; seq <= 5; ++seq) talk.isSent(seq);
  REQUIRE(talk.saysCut(1, {3}));
  REQUIRE(talk.saysCut(2, {2}).error().code == Errc::INTEGRITY_FAILED);
  Talk other;
  other.isOpen();
  REQUIRE(other.saysCut(1, {1}).error().code == Errc::INTEGRITY_FAILED);
  Talk third;
  third.isOpen();
  REQUIRE(third.saysCut(1, {0, 0}).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("only sent frames are consumed, each once") {
  Talk talk;
  talk.isOpen();
  talk.isSent(1);
  REQUIRE(talk.saysConsumed(0, 2).error().code == Errc::INTEGRITY_FAILED);
  REQUIRE(talk.saysConsumed(1, 1).error().code == Errc::INTEGRITY_FAILED);
  REQUIRE(talk.saysConsumed(0, 1));
  REQUIRE(talk.saysConsumed(0, 1).error().code == Errc::INTEGRITY_FAILED);
}

TEST_CASE("a body over the quota is refused before it is read") {
  Talk talk;
  talk.isOpen();
  REQUIRE(talk.session.accepts({1'000, ENGINE_OUT, 1}));
  REQUIRE(talk.session.accepts({1'001, ENGINE_OUT, 1}).error().code == Errc::QUOTA_EXCEEDED);
}

TEST_CASE("a plugin of another ABI is refused") {
  Talk talk;
  FlatWriter body;
  body.u16(ENGINE_ABI + 1).var8("p"_kj.asBytes());
  REQUIRE(talk.says(ENGINE_READY, 0, body).error().code == Errc::BAD_VERSION);
}

TEST_CASE("the deadline runs only while the plugin owes something, from its last sign of life") {
  Talk talk;
  REQUIRE(talk.session.deadline() == T0 + 10 * kj::SECONDS);  // READY
  talk.isOpen();
  REQUIRE(talk.session.deadline() == nullptr);
  talk.isSent(1, T0 + 100 * kj::SECONDS);
  talk.isSent(2, T0 + 105 * kj::SECONDS);  // no more time for owing more
  REQUIRE(talk.session.deadline() == T0 + 110 * kj::SECONDS);
  REQUIRE(talk.saysConsumed(0, 1, T0 + 108 * kj::SECONDS));
  REQUIRE(talk.session.deadline() == T0 + 118 * kj::SECONDS);
  talk.session.resumedReading(T0 + 120 * kj::SECONDS);
  REQUIRE(talk.session.deadline() == T0 + 130 * kj::SECONDS);
  REQUIRE(talk.saysConsumed(0, 2, T0 + 121 * kj::SECONDS));
  REQUIRE(talk.session.deadline() == nullptr);
}

TEST_CASE("every cut and every changed byte of a message is refused or harmless") {
  FlatWriter out;
  out.u8(0).u8(0).u64(1).u64(0).u8(1).u8(1).u64(0).var8("state"_kj.asBytes()).u32(3);
  out.bytes("abc"_kj.asBytes());
  REQUIRE(parseBody(ENGINE_OUT, out.asBytes()));
  for (size_t size = 0; size < out.size(); ++size) {
    REQUIRE(!parseBody(ENGINE_OUT, out.asBytes().slice(0, size)));
  }
  auto bytes = kj::heapArray(out.asBytes());
  for (auto& byte: bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      byte ^= 1 << bit;
      static_cast<void>(parseBody(ENGINE_OUT, bytes));
      byte ^= 1 << bit;
    }
  }
}

struct BadBody {
  const char* what;
  uint8_t type;
  void (*write)(FlatWriter&);
};

TEST_CASE("a malformed body is refused by BAD_FORMAT") {
  auto bad = GENERATE(BadBody{"an unknown type", 99, [](FlatWriter&) {}},
      BadBody{"a type of the daemon's", ENGINE_OPEN, [](FlatWriter&) {}},
      BadBody{"bytes behind OPENED", ENGINE_OPENED, [](FlatWriter& b) { b.u8(0); }},
      BadBody{
          "port 1", ENGINE_OUT, [](FlatWriter& b) { b.u8(1).u8(0).u64(1).u64(0).u8(0).u32(0); }},
      BadBody{"a flag nobody knows", ENGINE_OUT,
          [](FlatWriter& b) { b.u8(0).u8(16).u64(1).u64(0).u8(0).u32(0); }},
      BadBody{"END with bytes", ENGINE_OUT,
          [](FlatWriter& b) { b.u8(0).u8(1).u64(1).u64(0).u8(0).u32(1).u8(0); }},
      BadBody{"hasCut of 2", ENGINE_OUT,
          [](FlatWriter& b) { b.u8(0).u8(0).u64(1).u64(0).u8(2).u8(0).u8(0).u32(0); }},
      BadBody{"a state of 65 bytes", ENGINE_OUT,
          [](FlatWriter& b) {
            kj::byte state[65] = {};
            b.u8(0).u8(0).u64(1).u64(0).u8(1).u8(0).var8(state).u32(0);
          }},
      BadBody{"nine inputs", ENGINE_OUT,
          [](FlatWriter& b) {
            b.u8(0).u8(0).u64(1).u64(0).u8(1).u8(9);
            for (int i = 0; i < 9; ++i) b.u64(0);
            b.u8(0).u32(0);
          }},
      BadBody{"an error of 0", ENGINE_FAILED, [](FlatWriter& b) { b.u16(0).u8(0); }},
      BadBody{"a reason of 201 bytes", ENGINE_FAILED, [](FlatWriter& b) {
                kj::byte text[201] = {};
                b.u16(1).var8(text);
              }});
  CAPTURE(bad.what);
  FlatWriter body;
  bad.write(body);
  REQUIRE(parseBody(bad.type, body.asBytes()).error().code == Errc::BAD_FORMAT);
}

}  // namespace
}  // namespace hearth::engine

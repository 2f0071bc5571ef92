#include "tests/router/engine-fixture.h"

#include <catch2/generators/catch_generators.hpp>
#include <cstdio>

namespace hearth::engine {
namespace {

TEST_CASE("a plugin in its sandbox takes frames and gives frames, numbered and with cuts") {
  needSandbox();
  auto name = GENERATE("echo", "echo-dynamic");
  auto bundle = pluginBundle(name);
  RealHost real;
  auto engine = real.start(*bundle);

  REQUIRE(went(real.wait(engine->open(jobOf("echo")))));
  REQUIRE(went(real.wait(engine->write(frameOf(1, "hello")))));
  REQUIRE(went(real.wait(engine->write(frameOf(2, "", ENGINE_FLAG_END)))));
  auto hello = real.wait(engine->read()).value();
  auto end = real.wait(engine->read()).value();

  REQUIRE(textOf(hello) == "hello");
  REQUIRE(hello.frame.seq == 1);
  REQUIRE(hello.frame.ptsUs == 1'000);
  REQUIRE(KJ_ASSERT_NONNULL(hello.cut).inUpto == std::vector<uint64_t>{1});
  REQUIRE(KJ_ASSERT_NONNULL(hello.cut).state.size() == 5);
  REQUIRE(end.frame.flags == ENGINE_FLAG_END);
  REQUIRE(went(real.wait(engine->close())));
}

TEST_CASE("an instance serves one job after another, and goes on from a cut") {
  needSandbox();
  auto bundle = pluginBundle("echo");
  RealHost real;
  auto engine = real.start(*bundle);
  for (uint64_t begin: {1, 8, 1}) {
    auto job = jobOf("echo");
    job.nextOutSeq = begin + 100;
    job.nextInSeq = {begin};
    REQUIRE(went(real.wait(engine->open(kj::mv(job)))));
    REQUIRE(went(real.wait(engine->write(frameOf(begin, "again")))));
    REQUIRE(real.wait(engine->read()).value().frame.seq == begin + 100);
    REQUIRE(went(real.wait(engine->close())));
  }
}

TEST_CASE("a consumer that does not read stops the producer and loses nothing") {
  needSandbox();
  constexpr uint64_t FRAMES = 600;
  auto bundle = pluginBundle("echo");
  RealHost real;
  auto engine = real.start(*bundle);
  REQUIRE(went(real.wait(engine->open(jobOf("echo")))));

  uint64_t written = 0;
  auto big = kj::heapString(64 << 10);
  memset(big.begin(), 'x', big.size());
  auto writeAll = [&]() -> kj::Promise<void> {
    while (written < FRAMES) {
      KJ_ASSERT((co_await engine->write(frameOf(written + 1, big))).has_value());
      ++written;
    }
  };
  auto writing = writeAll().eagerlyEvaluate(nullptr);
  real.wait(real.uv.timer().afterDelay(300 * kj::MILLISECONDS));
  REQUIRE(written < FRAMES);  // the stop did come: 600 frames of 64 KiB fit nowhere on the way

  for (uint64_t seq = 1; seq <= FRAMES; ++seq) {
    REQUIRE(real.wait(engine->read()).value().frame.seq == seq);
  }
  real.wait(kj::mv(writing));
}

TEST_CASE("a job that the plugin refuses fails alone: the instance serves the next") {
  needSandbox();
  auto bundle = pluginBundle("echo");
  RealHost real;
  auto engine = real.start(*bundle);

  REQUIRE(went(real.wait(engine->open(jobOf("echo")))));
  REQUIRE(went(real.wait(engine->write(frameOf(1, "refuse")))));
  REQUIRE(real.wait(engine->read()).error().code == Errc::BAD_FORMAT);
  REQUIRE(went(real.wait(engine->close())));

  auto strange = jobOf("echo");
  strange.state.resize(9);
  REQUIRE(real.wait(engine->open(kj::mv(strange))).error().code == Errc::BAD_FORMAT);
  REQUIRE(went(real.wait(engine->close())));

  REQUIRE(went(real.wait(engine->open(jobOf("echo")))));
  REQUIRE(went(real.wait(engine->write(frameOf(1, "well")))));
  REQUIRE(textOf(real.wait(engine->read()).value()) == "well");
  REQUIRE(engine->ending() == nullptr);
}

TEST_CASE("a plugin that crashes is reported with its signal") {
  needSandbox();
  auto bundle = pluginBundle("echo-dynamic");
  RealHost real;
  auto engine = real.start(*bundle);
  REQUIRE(went(real.wait(engine->open(jobOf("echo")))));
  REQUIRE(went(real.wait(engine->write(frameOf(1, "crash")))));
  REQUIRE(real.wait(engine->read()).error().code == Errc::INTEGRITY_FAILED);
  auto& ending = KJ_ASSERT_NONNULL(engine->ending());
  CAPTURE(ending.report.cStr());
  REQUIRE(ending.error.because == "the plugin crashed");
}

// What a plugin does wrong, and what it is killed for.
struct Wrong {
  const char* task;
  Errc errc;
};

TEST_CASE("a plugin that breaks the protocol or a quota is killed for it") {
  needSandbox();
  auto wrong = GENERATE(Wrong{"hang", Errc::QUOTA_EXCEEDED}, Wrong{"spin", Errc::QUOTA_EXCEEDED},
      Wrong{"babble", Errc::QUOTA_EXCEEDED}, Wrong{"wrong-job", Errc::INTEGRITY_FAILED},
      Wrong{"wrong-number", Errc::INTEGRITY_FAILED}, Wrong{"over-quota", Errc::QUOTA_EXCEEDED},
      Wrong{"unknown-type", Errc::BAD_FORMAT}, Wrong{"consumed-unsent", Errc::INTEGRITY_FAILED},
      Wrong{"cut-unsent", Errc::INTEGRITY_FAILED}, Wrong{"leave", Errc::INTEGRITY_FAILED});
  CAPTURE(wrong.task);
  auto bundle = pluginBundle("rogue");
  RealHost real;
  auto engine = real.start(*bundle);
  auto opened = real.wait(engine->open(jobOf(wrong.task)));
  auto error = opened ? real.wait(engine->read()).error() : opened.error();
  CAPTURE(error.because.cStr());
  REQUIRE(error.code == wrong.errc);
  REQUIRE(engine->ending() != nullptr);
  REQUIRE(real.wait(engine->open(jobOf("hang"))).error().code == wrong.errc);
}

TEST_CASE("a plugin that never becomes ready is killed at its deadline") {
  needSandbox();
  auto bundle = pluginBundle("mute");
  RealHost real;
  REQUIRE(real.wait(real.host.start(*bundle, {})).error().code == Errc::QUOTA_EXCEEDED);
}

TEST_CASE("a plugin that talks too much to its log is not stopped by it") {
  needSandbox();
  auto bundle = pluginBundle("rogue");
  RealHost real;
  auto engine = real.start(*bundle);
  REQUIRE(went(real.wait(engine->open(jobOf("flood-log")))));
  REQUIRE(went(real.wait(engine->read())));
}

TEST_CASE("how long a cold start takes is printed") {
  needSandbox();
  for (auto name: {"echo", "echo-dynamic"}) {
    auto bundle = pluginBundle(name);
    RealHost real;
    auto begin = kj::systemPreciseMonotonicClock().now();
    for (int i = 0; i < 10; ++i) real.start(*bundle);
    auto each = (kj::systemPreciseMonotonicClock().now() - begin) / 10;
    printf("cold start of %s: %lld us\n", name, static_cast<long long>(each / kj::MICROSECONDS));
  }
}

}  // namespace
}  // namespace hearth::engine

// What comes alone is seen to at once, and what comes in a stream is gathered.
#include "devices/folders/pacing.h"

#include <kj/async.h>
#include <kj/timer.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::devices {
namespace {

constexpr auto MS = kj::MILLISECONDS;

struct Steps {
  kj::EventLoop loop;
  kj::WaitScope scope{loop};
  kj::TimerImpl timer{kj::origin<kj::TimePoint>()};
  FolderPacing pacing{timer};

  void wait(kj::Duration span) { timer.advanceTo(timer.now() + span); }
  // How long a step waits; it takes no time itself.
  kj::Duration step(size_t ready = 1) {
    auto asked = timer.now();
    auto begins = pacing.begin(ready);
    while (!begins.poll(scope)) wait(1 * MS);
    begins.wait(scope);
    pacing.end();
    return timer.now() - asked;
  }
};

TEST_CASE("what changes now and then waits for nothing") {
  Steps steps;
  for (int change = 0; change < 100; ++change) {
    for (int i = 0; i < 6; ++i) REQUIRE(steps.step() == 0 * MS);
    steps.wait(50 * MS);
  }
}

TEST_CASE("in a stream of changes the steps become fewer, down to one in 64 ms, until it ends") {
  Steps steps;
  auto begun = steps.timer.now();
  size_t count = 0;
  for (; steps.timer.now() - begun < 10 * kj::SECONDS; ++count) {
    steps.step();
    steps.wait(2 * MS);
  }
  REQUIRE(count > 100);
  REQUIRE(count < 180);
  REQUIRE(steps.step() == FolderPacing::PAUSE_MAX);
  steps.wait(FolderPacing::QUIET);
  REQUIRE(steps.step() == 0 * MS);
}

TEST_CASE("a step that is worth its cost waits for nothing") {
  Steps steps;
  for (int i = 0; i < 1'000; ++i) REQUIRE(steps.step(FolderPacing::FULL) == 0 * MS);
}

}  // namespace
}  // namespace hearth::devices

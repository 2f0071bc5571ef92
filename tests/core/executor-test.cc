#include "core/loop/executor.h"
#include "core/loop/uv-event-port.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <unistd.h>
#include <vector>

namespace hearth {
namespace {

// What both implementations keep.
void requireTheContract(Executor& executor, UvLoop& uv) {
  std::vector<int> done;
  auto first = executor.execute([&]() { done.push_back(1); });
  auto second = executor.execute([&]() { done.push_back(2); });
  auto failing = executor.execute([]() { KJ_FAIL_REQUIRE("on purpose"); });
  second.wait(uv.waitScope);
  first.wait(uv.waitScope);
  REQUIRE(done == std::vector<int>{1, 2});
  REQUIRE_THROWS_AS(failing.wait(uv.waitScope), kj::Exception);
}

TEST_CASE("work runs inline in the order of calls, and fails by itself") {
  UvLoop uv;
  InlineExecutor executor;
  requireTheContract(executor, uv);
}

TEST_CASE("inline work does not run before the call returns") {
  UvLoop uv;
  InlineExecutor executor;
  bool ran = false;
  auto work = executor.execute([&]() { ran = true; });
  REQUIRE(!ran);
  work.wait(uv.waitScope);
  REQUIRE(ran);
}

TEST_CASE("work runs on a thread in the order of calls, and fails by itself") {
  UvLoop uv;
  ThreadExecutor executor;
  requireTheContract(executor, uv);
}

TEST_CASE("work on a thread leaves the loop free") {
  UvLoop uv;
  ThreadExecutor executor;
  kj::MutexGuarded<bool> loopTurned(false);
  auto work = executor.execute(
      [&]() { loopTurned.when([](bool turned) { return turned; }, [](bool&) {}); });
  uv.timer().afterDelay(1 * kj::MILLISECONDS).wait(uv.waitScope);
  *loopTurned.lockExclusive() = true;
  work.wait(uv.waitScope);
}

TEST_CASE("a dropped promise waits for work that has begun") {
  UvLoop uv;
  ThreadExecutor executor;
  kj::MutexGuarded<bool> begun(false);
  bool finished = false;
  {
    auto work = executor.execute([&]() {
      *begun.lockExclusive() = true;
      usleep(20'000);
      finished = true;
    });
    begun.when([](bool yes) { return yes; }, [](bool&) {});
  }
  REQUIRE(finished);
}

}  // namespace
}  // namespace hearth

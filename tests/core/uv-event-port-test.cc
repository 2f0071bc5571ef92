#include "core/loop/uv-event-port.h"

#include <kj/debug.h>
#include <kj/thread.h>

#include <catch2/catch_test_macros.hpp>
#include <csignal>

namespace hearth {
namespace {

kj::Promise<void> countTo(kj::Timer& timer, int& counted, int last) {
  while (counted < last) {
    co_await timer.afterDelay(1 * kj::MILLISECONDS);
    ++counted;
  }
}

TEST_CASE("timers fire when libuv drives") {
  UvLoop uv;
  int counted = 0;
  uv.port.run(uv.waitScope, countTo(uv.timer(), counted, 5));
  REQUIRE(counted == 5);
}

TEST_CASE("timers fire when KJ drives") {
  UvLoop uv;
  int counted = 0;
  countTo(uv.timer(), counted, 5).wait(uv.waitScope);
  REQUIRE(counted == 5);
}

TEST_CASE("a timer never fires before its time") {
  UvLoop uv;
  auto due = uv.timer().now() + 5 * kj::MILLISECONDS;
  uv.timer().atTime(due).wait(uv.waitScope);
  REQUIRE(uv.timer().now() >= due);
}

TEST_CASE("an exception of the promise that ends the loop passes through") {
  UvLoop uv;
  kj::Promise<void> failing = KJ_EXCEPTION(FAILED, "on purpose");
  REQUIRE_THROWS_AS(uv.port.run(uv.waitScope, kj::mv(failing)), kj::Exception);
}

TEST_CASE("an idle loop turns for nothing") {
  UvLoop uv;
  uint64_t turns = 0;
  uv_prepare_t prepare;
  uv_prepare_init(&uv.port.loop(), &prepare);
  prepare.data = &turns;
  uv_prepare_start(&prepare, [](uv_prepare_t* p) { ++*static_cast<uint64_t*>(p->data); });
  uv.port.run(uv.waitScope, uv.timer().afterDelay(300 * kj::MILLISECONDS));
  uv_close(reinterpret_cast<uv_handle_t*>(&prepare), nullptr);
  REQUIRE(turns <= 10);
}

TEST_CASE("a loop that has worked sleeps until there is more to do") {
  UvLoop uv;
  int counted = 0;
  uv.port.run(uv.waitScope, countTo(uv.timer(), counted, 20));
  uv_metrics_t metrics;
  REQUIRE(uv_metrics_info(&uv.port.loop(), &metrics) == 0);
  REQUIRE(counted == 20);
  REQUIRE(metrics.loop_count > 0);  // in a slow turn the next one may come due as well
  REQUIRE(metrics.loop_count < 200);
}

TEST_CASE("work from another thread wakes the loop, whoever drives it") {
  UvLoop uv;
  auto& executor = kj::getCurrentThreadExecutor();
  int ran = 0;
  auto paf = kj::newPromiseAndCrossThreadFulfiller<void>();
  kj::Thread thread([&]() {
    executor.executeSync([&]() { ++ran; });
    paf.fulfiller->fulfill();
  });
  uv.port.run(uv.waitScope, kj::mv(paf.promise));
  REQUIRE(ran == 1);
}

TEST_CASE("work from another thread is done while a promise is waited for") {
  UvLoop uv;
  auto& executor = kj::getCurrentThreadExecutor();
  int ran = 0;
  auto paf = kj::newPromiseAndCrossThreadFulfiller<void>();
  kj::Thread thread([&]() {
    executor.executeSync([&]() { ++ran; });
    paf.fulfiller->fulfill();
  });
  paf.promise.wait(uv.waitScope);
  REQUIRE(ran == 1);
}

TEST_CASE("a signal is a promise") {
  UvLoop uv;
  int numbers[] = {SIGUSR2, SIGTERM};
  auto signal = uv.port.onSignal(numbers);
  raise(SIGUSR2);
  REQUIRE(signal.wait(uv.waitScope) == SIGUSR2);
}

}  // namespace
}  // namespace hearth

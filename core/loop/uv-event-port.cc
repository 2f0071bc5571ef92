#include "core/loop/uv-event-port.h"

#include <kj/debug.h>

#include <cerrno>
#include <cstring>
#include <sys/timerfd.h>
#include <unistd.h>
#include <utility>

namespace hearth {

namespace {

kj::TimePoint monotonicNow() { return kj::origin<kj::TimePoint>() + uv_hrtime() * kj::NANOSECONDS; }

void must(int result, const char* what) { KJ_REQUIRE(result == 0, what, uv_strerror(result)); }

template <typename Handle>
uv_handle_t* asHandle(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

}  // namespace

// The handles of one onSignal() promise. They belong to libuv until it has closed them, which may
// be after the promise is gone.
struct UvEventPort::Signals {
  struct Handle {
    uv_signal_t signal;
    Signals* owner;
  };

  Signals(kj::PromiseFulfiller<int>& fulfiller, UvEventPort& port, kj::ArrayPtr<const int> numbers)
      : fulfiller(fulfiller) {
    for (auto number: numbers) {
      auto handle = new Handle{{}, this};
      handles.add(handle);
      must(uv_signal_init(&port.uv, &handle->signal), "uv_signal_init");
      handle->signal.data = handle;
      must(uv_signal_start(&handle->signal, &came, number), "uv_signal_start");
    }
  }

  ~Signals() noexcept(false) {
    for (auto handle: handles) {
      uv_close(
          asHandle(&handle->signal), [](uv_handle_t* h) { delete static_cast<Handle*>(h->data); });
    }
  }

  static void came(uv_signal_t* signal, int number) {
    static_cast<Handle*>(signal->data)->owner->fulfiller.fulfill(kj::mv(number));
  }

  kj::PromiseFulfiller<int>& fulfiller;
  kj::Vector<Handle*> handles;
};

UvEventPort::UvEventPort()
    : alarmFd(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      timers(monotonicNow()) {
  KJ_REQUIRE(alarmFd.get() >= 0, "no descriptor for a timer", strerror(errno));
  must(uv_loop_init(&uv), "uv_loop_init");
  must(uv_idle_init(&uv, &idle), "uv_idle_init");
  must(uv_check_init(&uv, &check), "uv_check_init");
  must(uv_poll_init(&uv, &alarm, alarmFd), "uv_poll_init");
  must(uv_async_init(&uv, &async,
           [](uv_async_t* handle) {
             auto& port = *static_cast<UvEventPort*>(handle->data);
             port.woken = true;
             port.turn();
           }),
      "uv_async_init");
  idle.data = check.data = async.data = alarm.data = this;
  auto came = [](uv_poll_t* handle, int, int) {
    static_cast<UvEventPort*>(handle->data)->alarmCame();
  };
  must(uv_poll_start(&alarm, UV_READABLE, came), "uv_poll_start");
  // What the sockets brought is worked on before libuv begins another round: with an idle handle alone that
  // round would look at the sockets once more, for nothing, before it sleeps.
  uv_check_start(&check, [](uv_check_t* handle) {
    auto& port = *static_cast<UvEventPort*>(handle->data);
    if (port.runnable) port.turn();
  });
}

UvEventPort::~UvEventPort() noexcept(false) {
  uv_close(asHandle(&idle), nullptr);
  uv_close(asHandle(&check), nullptr);
  uv_close(asHandle(&async), nullptr);
  uv_close(asHandle(&alarm), nullptr);
  // Handles that others have closed already wait for their callbacks, too. A loop that was stopped
  // does nothing in its first round.
  uv_run(&uv, UV_RUN_DEFAULT);
  uv_run(&uv, UV_RUN_DEFAULT);
  KJ_ASSERT(uv_loop_close(&uv) == 0, "a handle outlives the event loop");
}

void UvEventPort::run(kj::WaitScope& scope, kj::Promise<void> until) {
  KJ_REQUIRE(driven == nullptr, "the loop is driven already");
  driven = scope;
  KJ_DEFER(driven = nullptr);
  kj::Maybe<kj::Exception> failure;
  bool done = false;
  auto stop = [&]() {
    done = true;
    uv_stop(&uv);  // else this round would still sleep for the next event
  };
  auto stopping = until
                      .then(stop,
                          [&](kj::Exception&& e) {
                            failure = kj::mv(e);
                            stop();
                          })
                      .eagerlyEvaluate(nullptr);
  turn();
  while (!done) uv_run(&uv, UV_RUN_ONCE);
  KJ_IF_MAYBE(e, failure) kj::throwFatalException(kj::mv(*e));
}

kj::Promise<int> UvEventPort::onSignal(kj::ArrayPtr<const int> signals) {
  return kj::newAdaptedPromise<int, Signals>(*this, signals);
}

bool UvEventPort::wait() { return runUv(UV_RUN_ONCE); }

bool UvEventPort::poll() { return runUv(UV_RUN_NOWAIT); }

void UvEventPort::setRunnable(bool now) {
  runnable = now;
  if (runnable) {
    uv_idle_start(
        &idle, [](uv_idle_t* handle) { static_cast<UvEventPort*>(handle->data)->turn(); });
  } else {
    uv_idle_stop(&idle);
  }
}

void UvEventPort::wake() const { uv_async_send(&async); }

// One share of KJ's work. Does nothing while KJ itself drives.
void UvEventPort::turn() {
  KJ_IF_MAYBE(scope, driven) {
    if (insideTurn) return;
    insideTurn = true;
    KJ_DEFER(insideTurn = false);
    advance();
    // poll() leaves the loop marked as runnable when it has done everything, and the idle handle would turn
    // for ever; waiting for a promise, were it ready, tells setRunnable() how it stands.
    if (scope->poll(TURNS_MAX) < TURNS_MAX) kj::Promise<void>(kj::READY_NOW).poll(*scope);
    armTimer();
  }
}

// A system call where the earliest timer has changed, and none where it has not: in a talk with a peer it
// stays what it is over thousands of messages.
void UvEventPort::armTimer() {
  auto due = timers.nextEvent();
  if (due == armedFor) return;
  armedFor = due;
  struct itimerspec when = {};  // none
  KJ_IF_MAYBE(next, due) {
    constexpr int64_t NS_PER_S = 1'000'000'000;
    auto ns = kj::max((*next - kj::origin<kj::TimePoint>()) / kj::NANOSECONDS, int64_t{1});
    when.it_value.tv_sec = ns / NS_PER_S;
    when.it_value.tv_nsec = ns % NS_PER_S;
  }
  KJ_SYSCALL(timerfd_settime(alarmFd, TFD_TIMER_ABSTIME, &when, nullptr));
}

void UvEventPort::alarmCame() {
  uint64_t times;
  if (read(alarmFd, &times, sizeof(times)) < 0) return;  // armed anew meanwhile
  armedFor = nullptr;
  advance();
  turn();
}

void UvEventPort::advance() {
  auto now = monotonicNow();
  if (now > timers.now()) timers.advanceTo(now);
}

bool UvEventPort::runUv(uv_run_mode mode) {
  // Inside a turn libuv is on the stack already: it looks at the sockets when the turn is over.
  if (!insideTurn) {
    armTimer();
    uv_run(&uv, mode);
    advance();
  }
  return std::exchange(woken, false);
}

}  // namespace hearth

#pragma once
// The KJ event loop carried by libuv (DESIGN §4). In the daemon libuv drives: a check handle turns the KJ
// loop as soon as the sockets have been looked at, an idle handle keeps libuv from sleeping while KJ has
// work, uv_async wakes it for other threads, a timerfd stands for the earliest KJ timer, and with
// nothing to do the thread sleeps in the kernel. Tests may also let KJ drive, by waiting for a promise.

#include <kj/async.h>
#include <kj/io.h>
#include <kj/timer.h>
#include <kj/vector.h>

#include <uv.h>

namespace hearth {

class UvEventPort final: public kj::EventPort {
 public:
  UvEventPort();
  ~UvEventPort() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(UvEventPort);

  kj::Timer& timer() { return timers; }
  uv_loop_t& loop() { return uv; }

  // Runs until `until` is done; an exception of it passes through. `scope` is the wait scope of the
  // KJ loop on this port. Nothing that runs inside may wait for a promise.
  void run(kj::WaitScope& scope, kj::Promise<void> until);

  // Resolves with the number of the first of these signals to come.
  kj::Promise<int> onSignal(kj::ArrayPtr<const int> signals);

  bool wait() override;
  bool poll() override;
  void setRunnable(bool runnable) override;
  void wake() const override;  // from any thread

 private:
  // Turns of the KJ loop between two looks at the sockets, so that neither starves the other.
  static constexpr kj::uint TURNS_MAX = 256;

  struct Signals;
  uv_loop_t uv;
  uv_idle_t idle;
  uv_check_t check;
  mutable uv_async_t async;
  kj::AutoCloseFd alarmFd;  // not libuv's timer, which arms one of the kernel's at each sleep
  uv_poll_t alarm;
  kj::TimerImpl timers;
  kj::Maybe<kj::WaitScope&> driven;   // set while run() is on the stack
  kj::Maybe<kj::TimePoint> armedFor;  // what `alarm` stands for
  bool insideTurn = false;
  bool runnable = false;
  bool woken = false;

  void turn();
  void armTimer();
  void alarmCame();
  void advance();
  bool runUv(uv_run_mode mode);
};

// A thread's KJ loop on libuv, ready to use.
class UvLoop final {
 public:
  UvEventPort port;
  kj::EventLoop loop{port};
  kj::WaitScope waitScope{loop};

  kj::Timer& timer() { return port.timer(); }
};

}  // namespace hearth

#pragma once
// Where work runs that would block the loop: a disk, a long hash. Part of the Time seam (DESIGN §3).
// Two implementations: a thread, and inline on the loop, so that a simulated world stays one thread
// and one seed.

#include <kj/async.h>
#include <kj/function.h>
#include <kj/mutex.h>
#include <kj/thread.h>

namespace hearth {

class Executor {
 public:
  // Runs `work`, later but in the order of calls, one at a time; never before this call returns.
  // Resolves on the caller's loop when it is done; an exception of it passes through. Dropping the
  // promise takes back work that has not begun and otherwise waits for it: afterwards nothing that
  // it refers to is in use.
  virtual kj::Promise<void> execute(kj::Function<void()> work) = 0;
};

// On the loop itself.
class InlineExecutor final: public Executor {
 public:
  kj::Promise<void> execute(kj::Function<void()> work) override;
};

// On one thread of its own with a KJ loop without sockets: idle, it sleeps in the kernel. All
// promises have to be gone before the executor is.
class ThreadExecutor final: public Executor {
 public:
  ThreadExecutor();
  ~ThreadExecutor() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(ThreadExecutor);

  kj::Promise<void> execute(kj::Function<void()> work) override;

 private:
  struct Started {
    kj::Own<const kj::Executor> executor;
    kj::Own<kj::CrossThreadPromiseFulfiller<void>> stop;
  };

  kj::MutexGuarded<kj::Maybe<Started>> started;
  kj::Thread thread;

  void run();
};

}  // namespace hearth

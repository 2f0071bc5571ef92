#pragma once
// An app in a world: its own code, written with calls that block, on a thread of its own. Only one of
// the world's thread and its apps' runs at any moment; the others wait to be handed the baton. So an
// app is as deterministic as the rest, and no object of the world is touched by two threads.
//
//   world's thread        app's thread
//   go() ───────────────▶ runs ... wait(start)      go() returns; the world does what was asked for
//   go() ───────────────▶ ... wait() returns        and lets the app go on when it is done
//   call(callback) ─────▶ runs it within wait()     call() returns when it has run
//        errand runs ◀─── errand(task)              at once, whatever the app is about

#include <kj/async.h>
#include <kj/function.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace hearth::sim {

class Actor final {
 public:
  // What an app waits for: begun on the world's thread. The promise must not be broken.
  using Wish = kj::Function<kj::Promise<void>()>;

  explicit Actor(kj::Function<void()> body);
  ~Actor() noexcept(false);  // the app must be over, or parked
  KJ_DISALLOW_COPY_AND_MOVE(Actor);

  std::thread::id thread() const { return own.get_id(); }

  // On the world's thread. Lets the app run until it waits; gives what for, or none when it is over.
  kj::Maybe<Wish&> go();
  // Runs `callback` on the app's thread. Requires that the app waits.
  void call(kj::FunctionParam<void()>& callback);
  bool isOver() const { return over; }

  // On the app's thread.
  void wait(Wish& wish);
  // Runs `task` on the world's thread. It must not throw.
  void errand(kj::FunctionParam<void()> task);
  bool isInCallback() const { return inCallback; }
  // Never returns; for the world, the app is over.
  [[noreturn]] void park();
  uint32_t refused = 0;  // calls since the world began to close

 private:
  using Task = kj::FunctionParam<void()>;
  enum class Said : uint8_t { NOTHING, ERRAND, WAITS, RAN_CALLBACK, OVER };

  // Outlives the actor where the thread does.
  struct Baton {
    std::mutex mutex;
    std::condition_variable passed;
    bool withApp = false;
    Said said = Said::NOTHING;
  };

  std::shared_ptr<Baton> baton = std::make_shared<Baton>();
  kj::Function<void()> body;
  Wish* wish = nullptr;
  Task* task = nullptr;      // an errand
  Task* callback = nullptr;  // none: what was waited for is there
  bool inCallback = false, over = false, parked = false;
  std::thread own;  // last: it uses all of the above

  Said handOver();      // world: until the app has said something else than an errand
  void handBack(Said);  // app: until it is its turn again
};

}  // namespace hearth::sim

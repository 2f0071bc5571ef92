#include "transport/wire/race.h"

#include <kj/debug.h>

namespace hearth::transport {

namespace {

class Race final: private kj::TaskSet::ErrorHandler {
 public:
  Race(kj::Timer& timer, std::vector<Attempt> attempts, kj::Duration within)
      : timer(timer),
        attempts(kj::mv(attempts)),
        within(within),
        unfinished(this->attempts.size()),
        tasks(*this) {}

  kj::Promise<Winner> run() {
    KJ_REQUIRE(!attempts.empty());
    tasks.add(startAll());
    return kj::mv(result.promise);
  }

 private:
  kj::Timer& timer;
  std::vector<Attempt> attempts;
  kj::Duration within;
  size_t started = 0;
  size_t unfinished;
  kj::PromiseFulfillerPair<Winner> result = kj::newPromiseAndFulfiller<Winner>();
  kj::Own<kj::PromiseFulfiller<void>> failure;  // of the attempt that began last
  kj::TaskSet tasks;

  kj::Promise<void> startAll() {
    for (size_t i = 0; i < attempts.size(); ++i) {
      auto failed = kj::newPromiseAndFulfiller<void>();
      failure = kj::mv(failed.fulfiller);
      ++started;
      tasks.add(runOne(i));
      if (i + 1 == attempts.size()) break;
      co_await timer.afterDelay(attempts[i + 1].after).exclusiveJoin(kj::mv(failed.promise));
    }
  }

  kj::Promise<void> runOne(size_t i) {
    try {
      auto late = timer.afterDelay(within).then([]() -> kj::Own<kj::AsyncIoStream> {
        kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "nobody has answered in time"));
      });
      auto stream = co_await attempts[i].connect().exclusiveJoin(kj::mv(late));
      result.fulfiller->fulfill(Winner{i, kj::mv(stream)});
    } catch (const kj::Exception& e) {
      if (--unfinished == 0) result.fulfiller->reject(kj::cp(e));
      bool isAwaited = i + 1 == started;
      if (isAwaited) failure->fulfill();
    }
  }

  void taskFailed(kj::Exception&& e) override { KJ_LOG(ERROR, "a race stumbled", e); }
};

kj::Promise<Winner> run(kj::Own<Race> race) { co_return co_await race->run(); }

}  // namespace

kj::Promise<Winner> race(kj::Timer& timer, std::vector<Attempt> attempts, kj::Duration within) {
  return run(kj::heap<Race>(timer, kj::mv(attempts), within));
}

}  // namespace hearth::transport

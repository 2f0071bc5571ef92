#pragma once
// The app's side of a call that tells it something again and again, until it wants no more or cancels. The daemon may
// hold a capability on it a moment longer than the call lasts: it is deaf then.

#include "bindings/c/transport.h"

#include <memory>

namespace hearth::local {

class Listener final {
 public:
  // Runs a callback of the app's, which gives 0 to go on.
  template <typename Callback>
  void tell(Callback&& callback) {
    if (line == nullptr) return;
    int answer = 0;
    line->onCaller([&]() { answer = callback(); });
    if (answer == 0) return;
    line = nullptr;
    over->fulfill(HEARTH_OK);
  }

  // `telling`: what the daemon was asked for, which ends by itself only in an error.
  static kj::Promise<int> listen(
      Line& line, std::shared_ptr<Listener> app, kj::Promise<void> telling) {
    auto paf = kj::newPromiseAndFulfiller<int>();
    app->line = &line;
    app->over = kj::mv(paf.fulfiller);
    KJ_DEFER(app->line = nullptr);
    auto ended = telling.then([]() -> int { return HEARTH_FAILED; });
    auto cancelled = line.whenCancelled().then([]() -> int { return HEARTH_CANCELLED; });
    co_return co_await paf.promise.exclusiveJoin(kj::mv(cancelled)).exclusiveJoin(kj::mv(ended));
  }

 private:
  Line* line = nullptr;  // null: the call is over, or the app wants no more
  kj::Own<kj::PromiseFulfiller<int>> over;
};

}  // namespace hearth::local

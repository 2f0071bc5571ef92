#pragma once
// What one coroutine waits at until another rings. Only the newest wait is answered.

#include <kj/async.h>

namespace hearth::sim {

class Bell final {
 public:
  kj::Promise<void> wait() {
    auto paf = kj::newPromiseAndFulfiller<void>();
    waiting = kj::mv(paf.fulfiller);
    return kj::mv(paf.promise);
  }
  void ring() {
    KJ_IF_MAYBE(found, waiting) {
      auto fulfiller = kj::mv(*found);
      waiting = nullptr;
      fulfiller->fulfill();
    }
  }

 private:
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> waiting;
};

}  // namespace hearth::sim

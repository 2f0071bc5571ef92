#pragma once
// A piece of virtual time, and promises that are watched while it passes.

#include "simulator/world/world-time.h"

#include <kj/debug.h>

namespace hearth::sim {

// What has become of a promise, and when.
template <typename T>
struct Watched {
  kj::Maybe<T> value;
  kj::Maybe<kj::Exception> error;
  kj::Duration at = -1 * kj::SECONDS;
  kj::Promise<void> watching = nullptr;

  bool isOpen() const { return value == nullptr && error == nullptr; }
  bool isDisconnected() const {
    KJ_IF_MAYBE(e, error) return e->getType() == kj::Exception::Type::DISCONNECTED;
    return false;
  }
  const T& operator*() const { return KJ_ASSERT_NONNULL(value, "nothing came of it"); }
};

struct Moment {
  kj::EventLoop loop;
  kj::WaitScope scope{loop};
  WorldTime time;

  void run(kj::Duration span) { time.run(scope, time.now() + span); }

  template <typename T>
  kj::Own<Watched<T>> watch(kj::Promise<T> promise) {
    auto watched = kj::heap<Watched<T>>();
    auto& it = *watched;
    it.watching = promise
                      .then([this, &it](T value) {
                        it.value = kj::mv(value);
                        it.at = time.elapsed();
                      })
                      .eagerlyEvaluate([this, &it](kj::Exception&& e) {
                        it.error = kj::mv(e);
                        it.at = time.elapsed();
                      });
    return watched;
  }
  kj::Own<Watched<bool>> watch(kj::Promise<void> promise) {
    return watch(promise.then([]() { return true; }));
  }
};

}  // namespace hearth::sim

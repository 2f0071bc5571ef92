#include "simulator/app/actor.h"

#include <kj/debug.h>

namespace hearth::sim {

Actor::Actor(kj::Function<void()> bodyIn)
    : body(kj::mv(bodyIn)),
      own([this]() {
        auto held = baton;
        {
          std::unique_lock lock(held->mutex);
          held->passed.wait(lock, [&]() { return held->withApp; });
        }
        body();
        std::unique_lock lock(held->mutex);
        held->said = Said::OVER;
        held->withApp = false;
        held->passed.notify_all();
      }) {}

Actor::~Actor() noexcept(false) {
  KJ_ASSERT(over, "an app must end before its world");
  if (parked) {
    own.detach();
  } else {
    own.join();
  }
}

Actor::Said Actor::handOver() {
  for (;;) {
    {
      std::unique_lock lock(baton->mutex);
      baton->withApp = true;
      baton->passed.notify_all();
      baton->passed.wait(lock, [&]() { return !baton->withApp; });
    }
    if (baton->said != Said::ERRAND) return baton->said;
    (*task)();
  }
}

void Actor::handBack(Said said) {
  std::unique_lock lock(baton->mutex);
  baton->said = said;
  baton->withApp = false;
  baton->passed.notify_all();
  baton->passed.wait(lock, [&]() { return baton->withApp; });
}

kj::Maybe<Actor::Wish&> Actor::go() {
  KJ_ASSERT(!over && callback == nullptr);
  if (handOver() == Said::OVER) {
    over = true;
    return nullptr;
  }
  return *wish;
}

void Actor::call(Task& wanted) {
  KJ_ASSERT(!over && callback == nullptr);
  callback = &wanted;
  auto said = handOver();
  callback = nullptr;
  if (said == Said::OVER) over = true;  // parked
}

void Actor::wait(Wish& wanted) {
  wish = &wanted;
  handBack(Said::WAITS);
  while (callback != nullptr) {
    inCallback = true;
    (*callback)();
    inCallback = false;
    handBack(Said::RAN_CALLBACK);
  }
}

void Actor::errand(Task wanted) {
  task = &wanted;
  handBack(Said::ERRAND);
}

void Actor::park() {
  parked = true;
  auto held = baton;
  for (;;) {
    std::unique_lock lock(held->mutex);
    held->said = Said::OVER;
    held->withApp = false;
    held->passed.notify_all();
    held->passed.wait(lock, [&]() { return held->withApp; });
  }
}

}  // namespace hearth::sim

#include "simulator/app/troupe.h"

#include <kj/debug.h>

namespace hearth::sim {

namespace {

constexpr kj::Duration LONG = 2 * HEARTH_WORLD_MS_MAX * kj::MILLISECONDS;

int foreign(local::ErrorLine error) {
  return error.say(HEARTH_USAGE, "a world belongs to the thread that opened it, and to its apps");
}

int withinCallback(local::ErrorLine error) {
  return error.say(HEARTH_USAGE, "a callback cannot wait for the world: return from it first");
}

}  // namespace

Troupe::~Troupe() noexcept(false) { dismiss(); }

kj::Maybe<Actor&> Troupe::here() {
  std::lock_guard lock(guard);
  auto found = byThread.find(std::this_thread::get_id());
  if (found == byThread.end()) return nullptr;
  return *found->second;
}

Troupe::Caller Troupe::caller() {
  if (std::this_thread::get_id() == owner)
    return turning ? Caller::OWNER_IN_CALLBACK : Caller::OWNER;
  KJ_IF_MAYBE(actor, here()) return actor->isInCallback() ? Caller::APP_IN_CALLBACK : Caller::APP;
  return Caller::FOREIGN;
}

int Troupe::atOnce(local::ErrorLine error, kj::FunctionParam<int()> task) {
  auto who = caller();
  if (who == Caller::FOREIGN) return foreign(error);
  if (who == Caller::OWNER || who == Caller::OWNER_IN_CALLBACK) return task();
  auto& actor = KJ_ASSERT_NONNULL(here());
  if (closing) return closed(actor, error);
  int code = HEARTH_OK;
  kj::Maybe<kj::Exception> thrown;
  actor.errand([&]() { thrown = kj::runCatchingExceptions([&]() { code = task(); }); });
  KJ_IF_MAYBE(e, thrown) kj::throwFatalException(kj::mv(*e));
  return code;
}

int Troupe::wait(local::ErrorLine error, Actor::Wish wish) {
  switch (caller()) {
    case Caller::FOREIGN:
      return foreign(error);
    case Caller::OWNER_IN_CALLBACK:
    case Caller::APP_IN_CALLBACK:
      return withinCallback(error);
    case Caller::OWNER: {
      bool done = false;
      auto task = wish().then([&done]() { done = true; }).eagerlyEvaluate(nullptr);
      turn(world.time.now() + LONG, done);
      return HEARTH_OK;
    }
    case Caller::APP: {
      auto& actor = KJ_ASSERT_NONNULL(here());
      if (!closing) actor.wait(wish);
      return closing ? closed(actor, error) : int{HEARTH_OK};
    }
  }
  KJ_UNREACHABLE;
}

int Troupe::pass(local::ErrorLine error, kj::Duration span) {
  if (caller() != Caller::OWNER)
    return wait(error, [this, span]() { return world.time.after(span); });
  turn(world.time.now() + span);
  return HEARTH_OK;
}

void Troupe::turn(kj::TimePoint end, const bool& enough) {
  turning = true;
  KJ_DEFER(turning = false);
  world.runUntil(end, enough);
}

void Troupe::start(kj::Function<void()> body) {
  KJ_REQUIRE(actors.size() < APPS_MAX);
  auto number = started++;
  auto actor = kj::heap<Actor>([this, number, body = kj::mv(body)]() mutable {
    KJ_IF_MAYBE(e, kj::runCatchingExceptions([&]() { body(); })) {
      failureLines.push_back(kj::str("app ", number + 1, " threw: ", e->getDescription()).cStr());
    }
  });
  {
    std::lock_guard lock(guard);
    byThread[actor->thread()] = actor;
  }
  serving.add(serve(number, *actor));
  actors[number] = kj::mv(actor);
}

kj::Promise<void> Troupe::serve(uint64_t number, Actor& actor) {
  co_await kj::evalLater([]() {});
  for (;;) {
    KJ_IF_MAYBE(wish, actor.go()) {
      co_await (*wish)();
    } else {
      break;
    }
  }
  retire(number);
}

void Troupe::retire(uint64_t number) {
  auto found = actors.find(number);
  {
    std::lock_guard lock(guard);
    byThread.erase(found->second->thread());
  }
  actors.erase(found);
}

// What an app waits for is taken back; then it runs until it returns, and no call makes it wait.
void Troupe::dismiss() {
  closing = true;
  serving.clear();
  while (!actors.empty()) {
    auto& actor = *actors.begin()->second;
    while (!actor.isOver()) actor.go();
    retire(actors.begin()->first);
  }
}

int Troupe::closed(Actor& actor, local::ErrorLine error) {
  if (++actor.refused > CALLS_AFTER_CLOSE_MAX) actor.park();
  return error.say(HEARTH_UNREACHABLE, "the world is closed");
}

void Troupe::taskFailed(kj::Exception&& e) { failureLines.push_back(e.getDescription().cStr()); }

}  // namespace hearth::sim

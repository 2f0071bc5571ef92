#pragma once
// The apps of a world, and how their calls and its owner's meet the world's one loop.

#include "bindings/c/guard.h"
#include "bindings/c/hearth-sim.h"
#include "simulator/app/actor.h"
#include "simulator/fleet/world.h"

#include <map>

namespace hearth::sim {

class Troupe final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr size_t APPS_MAX = HEARTH_WORLD_APPS_MAX;
  // An app that goes on after so many calls into a world that closes is not run any more.
  static constexpr uint32_t CALLS_AFTER_CLOSE_MAX = 1'000;

  // On the thread that owns the world, which outlives the troupe.
  explicit Troupe(World& world): world(world), serving(*this) {}
  ~Troupe() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(Troupe);

  // By the thread that a call comes on. A callback: one of an app's, within a call that waits.
  enum class Caller : uint8_t { OWNER, OWNER_IN_CALLBACK, APP, APP_IN_CALLBACK, FOREIGN };
  Caller caller();
  // The app on whose thread this is.
  kj::Maybe<Actor&> here();

  // Runs `task` on the world's thread. Gives its code and throws what it throws, or says why it is
  // not run.
  int atOnce(local::ErrorLine error, kj::FunctionParam<int()> task);

  // Lets the world run until `wish` is fulfilled. 0, or says why not.
  int wait(local::ErrorLine error, Actor::Wish wish);

  // Lets `span` pass. 0, or says why not.
  int pass(local::ErrorLine error, kj::Duration span);

  // On the world's thread.
  void start(kj::Function<void()> body);  // requires size() < APPS_MAX
  size_t size() const { return actors.size(); }
  void dismiss();  // every app, for good
  const std::vector<std::string>& failures() const { return failureLines; }

 private:
  World& world;
  std::thread::id owner = std::this_thread::get_id();
  bool turning = false;  // the owner's thread is within turn()
  bool closing = false;
  std::mutex guard;  // of the table alone: foreign threads look into it
  std::map<std::thread::id, Actor*> byThread;
  std::map<uint64_t, kj::Own<Actor>> actors;  // those that are not over, by number
  uint64_t started = 0;
  std::vector<std::string> failureLines;
  kj::TaskSet serving;

  void turn(kj::TimePoint end, const bool& enough = WorldTime::NEVER_ENOUGH);
  kj::Promise<void> serve(uint64_t number, Actor& actor);
  void retire(uint64_t number);
  int closed(Actor& actor, local::ErrorLine error);
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::sim

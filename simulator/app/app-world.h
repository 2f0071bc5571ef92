#pragma once
// A world that apps are tested in, as bindings/c/hearth-sim.h has it: a run of a scenario whose time
// passes as the test says, and apps on its devices that use the local API.

#include "bindings/c/transport.h"
#include "simulator/app/troupe.h"
#include "simulator/story/run.h"

#include <atomic>

namespace hearth::sim {

class AppWorld final {
 public:
  // Sets the world up. Throws one line when that does not work.
  AppWorld(Scenario scenario, Catalogue catalogue, uint64_t seed);
  ~AppWorld() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(AppWorld);

  Troupe& apps() { return troupe; }
  World& world() { return run.world; }

  // All of these on the world's thread. Errors are one line.
  using Refusal = std::expected<void, std::string>;
  Refusal say(const std::string& device, uint32_t first, uint32_t words, uint32_t sentenceWords);
  Refusal perform(const Step& step) { return run.take(step); }
  void note(kj::StringPtr text);
  bool has(const std::string& device) const;
  int64_t nowMs() const;
  // Ends the story; what was violated. Lets time pass, the first time.
  const std::vector<std::string>& check();

  // A call of hearth.h by an app on a device.
  struct Call {
    std::string device;
    kj::Maybe<Actor&> app;  // whose callbacks run on its own thread
    std::atomic<bool>&cancelled, &nudged;
    local::Transport::Work& work;
    int code = HEARTH_UNREACHABLE;
    kj::Maybe<kj::Exception> thrown;
  };
  // Makes it, within `limit`. It is not broken: the call holds what came of it.
  kj::Promise<void> make(Call& call);

  kj::Duration limit = 1 * kj::HOURS;

 private:
  class AppLine;
  Scenario scenario;
  Catalogue catalogue;
  Run run;
  kj::Maybe<std::vector<std::string>> verdict;
  Troupe troupe;

  kj::Promise<int> talk(Call& call);
  kj::Promise<int> giveUp();
};

}  // namespace hearth::sim

#pragma once
// The way of an app in a world to the daemon of its device, under the calls of hearth.h.

#include "simulator/app/app-world.h"

namespace hearth::sim {

// A world that may be closed before the handles that lead into it.
struct Gate {
  AppWorld* world;
};

class WorldTransport final: public local::Transport {
 public:
  WorldTransport(std::shared_ptr<Gate> gate, std::string device)
      : gate(kj::mv(gate)),
        device(kj::mv(device)) {}

  int call(Work work, local::ErrorLine error) override;
  void cancel() override { cancelled = true; }
  void nudge() override { nudged = true; }

 private:
  std::shared_ptr<Gate> gate;
  std::string device;
  std::atomic<bool> cancelled = false, nudged = false;
};

}  // namespace hearth::sim

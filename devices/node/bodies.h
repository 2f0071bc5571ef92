#pragma once
// What the stages on this device are made of: its plugins and its microphone, or a recording that
// stands in for it.

#include "devices/node/levels.h"
#include "devices/sensors/recorded-microphone.h"
#include "router/engine/plugin-set.h"

#include <map>

namespace hearth::devices {

class Bodies final: public router::StageBodies {
 public:
  // All outlive the bodies. `microphone`: what this device's microphone hears, if it has one.
  Bodies(
      kj::Timer& timer, engine::PluginSet& plugins, Levels& levels, kj::Maybe<Recording> microphone)
      : timer(timer),
        plugins(plugins),
        levels(levels),
        microphone(kj::mv(microphone)) {}

  bool hasMicrophone() const { return microphone != nullptr; }

  // What the microphone hears from now on; a job that has begun goes on with what it had.
  void hear(Recording recording) { microphone = kj::mv(recording); }

  // A recording that a job brings along for one of its sources.
  void lend(const JobId& job, router::StageIndex stage, Recording recording);
  void takeBack(const JobId& job);

  kj::Promise<Result<kj::Own<router::PreparedStage>>> plugin(
      const router::StageSpec& spec) override;
  kj::Promise<Result<kj::Own<router::PreparedStage>>> source(
      const router::StageSpec& spec) override;

 private:
  kj::Timer& timer;
  engine::PluginSet& plugins;
  Levels& levels;
  kj::Maybe<Recording> microphone;
  std::map<std::pair<JobId, router::StageIndex>, Recording> lent;
};

}  // namespace hearth::devices

#include "devices/node/bodies.h"

#include "router/run/plugin-stage.h"

namespace hearth::devices {

namespace {

Recording copyOf(const Recording& recording) {
  return {kj::heapArray<const int16_t>(recording.samples)};
}

class PreparedMicrophone final: public router::PreparedStage {
 public:
  PreparedMicrophone(
      kj::Timer& timer, Levels& levels, const router::StageSpec& spec, Recording recording)
      : timer(timer),
        levels(levels),
        spec(spec),
        recording(kj::mv(recording)) {}

  kj::Promise<Result<kj::Own<router::StageBody>>> open(const router::Checkpoint&) override {
    auto microphone = kj::heap<RecordedMicrophone>(timer, kj::mv(recording));
    return Result<kj::Own<router::StageBody>>(levels.metered(spec, kj::mv(microphone)));
  }

 private:
  kj::Timer& timer;
  Levels& levels;
  router::StageSpec spec;
  Recording recording;
};

}  // namespace

void Bodies::lend(const JobId& job, router::StageIndex stage, Recording recording) {
  lent[{job, stage}] = kj::mv(recording);
}

void Bodies::takeBack(const JobId& job) {
  std::erase_if(lent, [&](auto& entry) { return entry.first.first == job; });
}

kj::Promise<Result<kj::Own<router::PreparedStage>>> Bodies::plugin(const router::StageSpec& spec) {
  return router::preparePlugin(plugins, spec);
}

kj::Promise<Result<kj::Own<router::PreparedStage>>> Bodies::source(const router::StageSpec& spec) {
  auto found = lent.find({spec.job, spec.stage});
  if (found != lent.end()) {
    return Result<kj::Own<router::PreparedStage>>(
        kj::heap<PreparedMicrophone>(timer, levels, spec, copyOf(found->second)));
  }
  KJ_IF_MAYBE(heard, microphone) {
    if (spec.task == "microphone") {
      return Result<kj::Own<router::PreparedStage>>(
          kj::heap<PreparedMicrophone>(timer, levels, spec, copyOf(*heard)));
    }
  }
  return Result<kj::Own<router::PreparedStage>>(
      no(Errc::NOT_AUTHORISED, "the device has no such sensor"));
}

}  // namespace hearth::devices

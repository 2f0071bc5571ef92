#include "router/run/plugin-stage.h"

namespace hearth::router {

namespace {

using Lease = engine::PluginSet::Lease;

class PluginBody final: public StageBody {
 public:
  explicit PluginBody(kj::Own<Lease> lease): lease(kj::mv(lease)) {}

  kj::Promise<Result<void>> write(size_t port, const Frame& frame) override {
    return lease->engine().write({.port = static_cast<uint8_t>(port),
        .flags = frame.flags,
        .seq = frame.seq,
        .ptsUs = frame.ptsUs,
        .payload = kj::heapArray(frame.payload.asPtr())});
  }

  kj::Promise<Result<Output>> read() override {
    auto made = co_await lease->engine().read();
    if (!made) co_return no(made.error());
    Output output{.port = made->frame.port,
        .flags = made->frame.flags,
        .ptsUs = made->frame.ptsUs,
        .payload = kj::mv(made->frame.payload)};
    KJ_IF_MAYBE(cut, made->cut) output.cut = Cut{kj::mv(cut->inUpto), kj::mv(cut->state)};
    co_return kj::mv(output);
  }

 private:
  kj::Own<Lease> lease;
};

class PluginStage final: public PreparedStage {
 public:
  PluginStage(kj::Own<Lease> lease, StageSpec spec): lease(kj::mv(lease)), spec(kj::mv(spec)) {}

  kj::Promise<Result<kj::Own<StageBody>>> open(const Checkpoint& from) override {
    engine::EngineJob job{.task = spec.task,
        .params = spec.params,
        .nextOutSeq = from.outSeq + 1,
        .nextInSeq = {},
        .state = from.state};
    for (auto upto: from.inUpto) job.nextInSeq.push_back(upto + 1);
    auto opened = co_await lease->engine().open(kj::mv(job));
    if (!opened) co_return no(opened.error());
    co_return kj::heap<PluginBody>(kj::mv(lease));
  }

 private:
  kj::Own<Lease> lease;
  StageSpec spec;
};

}  // namespace

kj::Promise<Result<kj::Own<PreparedStage>>> preparePlugin(
    engine::PluginSet& plugins, StageSpec spec) {
  auto lease = co_await plugins.take(spec.plugin);
  if (!lease) co_return no(lease.error());
  KJ_IF_MAYBE(task, (*lease)->bundle().description().task(spec.task.c_str())) {
    if (task->inputs.size() == spec.inputs) {
      co_return kj::heap<PluginStage>(kj::mv(*lease), kj::mv(spec));
    }
    co_return no(Errc::BAD_FORMAT, "the plugin's task has another number of inputs");
  }
  co_return no(Errc::BAD_FORMAT, "the plugin has no task of that name");
}

}  // namespace hearth::router

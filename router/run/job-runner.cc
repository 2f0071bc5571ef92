#include "router/run/job-runner.h"

#include "router/run/stage-host.h"

#include <kj/debug.h>

namespace hearth::router {

namespace {

std::vector<JobStage> machineStages(const JobSpec& spec) {
  std::vector<JobStage> stages;
  for (auto& stage: spec.stages) stages.push_back(stage.stage);
  return stages;
}

std::vector<JobEdge> machineEdges(const JobSpec& spec) {
  std::vector<JobEdge> edges;
  for (auto& edge: spec.edges) edges.push_back({edge.from, edge.to});
  return edges;
}

rpc::StageOrder::Kind kindOf(JobStage::Kind kind) {
  switch (kind) {
    case JobStage::Kind::SOURCE:
      return rpc::StageOrder::Kind::SOURCE;
    case JobStage::Kind::PLUGIN:
      return rpc::StageOrder::Kind::PLUGIN;
    case JobStage::Kind::SINK:
      return rpc::StageOrder::Kind::SINK;
  }
  KJ_UNREACHABLE;
}

void write(const EdgeSource& source, rpc::Input::Builder out) {
  out.setEdge(source.edge);
  out.setDevice(source.device.asBytes());
  out.setStage(source.stage);
  out.setAttempt(source.attempt);
}

}  // namespace

// A report may come after the job is over: other devices hold the watch as long as they like.
struct JobRunner::WeakSelf final: public kj::Refcounted {
  explicit WeakSelf(JobRunner* runner): runner(runner) {}
  JobRunner* runner;
};

class JobRunner::Watch final: public rpc::StageWatch::Server {
 public:
  Watch(kj::Own<WeakSelf> weak, StageIndex stage, uint32_t attempt)
      : weak(kj::mv(weak)),
        stage(stage),
        attempt(attempt) {}

  kj::Promise<void> report(ReportContext context) override {
    auto params = context.getParams();
    if (weak->runner != nullptr)
      weak->runner->reported(stage, attempt, params.getWhat(), params.getAtMs());
    return kj::READY_NOW;
  }

 private:
  kj::Own<WeakSelf> weak;
  StageIndex stage;
  uint32_t attempt;
};

JobRunner::JobRunner(JobSpec spec, JobMachine::Placer placer, DeviceId self, Executor& executor,
    const kj::Clock& clock, Fleet& fleet, Observer& observer, kj::Own<PreparedStage> sink)
    : job(kj::mv(spec)),
      self(self),
      executor(executor),
      clock(clock),
      fleet(fleet),
      observer(observer),
      sink(kj::mv(sink)),
      decisions(machineStages(job), machineEdges(job), kj::mv(placer)),
      overPaf(kj::newPromiseAndFulfiller<void>()),
      weakSelf(kj::refcounted<WeakSelf>(this)),
      tasks(*this) {}

JobRunner::~JobRunner() noexcept(false) { weakSelf->runner = nullptr; }

void JobRunner::begin() { carryOut(decisions.begin()); }

void JobRunner::lost(const DeviceId& device) { carryOut(decisions.lost(device)); }

void JobRunner::fleetChanged() { carryOut(decisions.fleetChanged()); }

void JobRunner::cancel() { carryOut(decisions.cancel()); }

void JobRunner::giveUp(std::string because) { carryOut(decisions.giveUp(kj::mv(because))); }

int64_t JobRunner::nowMs() const { return (clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS; }

void JobRunner::carryOut(JobMachine::Effects effects) {
  for (auto& line: effects.notes) observer.noted(line, nowMs());
  for (auto stage: effects.stop) held.erase(stage);
  if (effects.over) {
    held.clear();
    if (overPaf.fulfiller->isWaiting()) overPaf.fulfiller->fulfill();
  } else if (!effects.start.empty()) {
    tasks.add(startAndRewire(kj::mv(effects)));
  }
}

// Consumers learn of a producer's new place only when it is there.
kj::Promise<void> JobRunner::startAndRewire(JobMachine::Effects effects) {
  kj::Vector<kj::Promise<void>> starts;
  for (auto stage: effects.start) starts.add(startStage(stage, decisions.attempt(stage)));
  co_await kj::joinPromises(starts.releaseAsArray());
  for (auto edge: effects.rewire) co_await rewire(edge);
}

// What was placed anew while a stage was being started is news to it.
kj::Promise<void> JobRunner::rewireSince(StageIndex stage, std::vector<EdgeSource> told) {
  for (auto& input: told) {
    auto now = sourceOf(input.edge);
    bool moved = now.map([&](auto& s) { return s.attempt != input.attempt; }).orDefault(false);
    if (moved && held.contains(stage)) co_await rewire(input.edge);
  }
}

kj::Promise<void> JobRunner::startStage(StageIndex stage, uint32_t attempt) {
  held.erase(stage);
  if (job.stages[stage].stage.kind == JobStage::Kind::SINK) {
    startSink(stage, attempt);
    co_return;
  }
  kj::Maybe<Error> failure;
  try {
    auto& place = KJ_REQUIRE_NONNULL(decisions.assigned(stage));
    auto host = place.device == self ? executor.host(self) : fleet.stageHost(place.device);
    auto request = host.startRequest();
    auto order = orderFor(stage, attempt);
    auto told = order.inputs;
    writeOrder(order, request.initOrder());
    request.setWatch(watchOf(stage, attempt));
    auto response = co_await request.send();
    if (!decisions.isCurrent(stage, attempt)) co_return;
    auto& mine = held[stage];
    mine.attempt = attempt;
    mine.lease = response.getStage();
    mine.watching = keep(stage, attempt, response.getStage()).eagerlyEvaluate(nullptr);
    co_await rewireSince(stage, kj::mv(told));
  } catch (const kj::Exception& e) {
    KJ_LOG(WARNING, "a stage could not be started", e.getDescription());
    failure = errorOf(e);
  }
  KJ_IF_MAYBE(error, failure) stageOver(stage, attempt, no(*error));
}

void JobRunner::startSink(StageIndex stage, uint32_t attempt) {
  auto prepared = kj::mv(KJ_REQUIRE_NONNULL(sink, "a sink starts once"));
  sink = nullptr;
  auto& mine = held[stage];
  mine.attempt = attempt;
  mine.local = executor.start(orderFor(stage, attempt), kj::mv(prepared), watchOf(stage, attempt));
  mine.watching =
      KJ_ASSERT_NONNULL(mine.local)
          ->runner()
          .ended()
          .then([this, stage, attempt](Result<void> how) { stageOver(stage, attempt, how); })
          .eagerlyEvaluate(nullptr);
}

// A consumer that cannot be told is lost, or will be: the others are told all the same.
kj::Promise<void> JobRunner::rewire(size_t edge) {
  auto consumer = held.find(job.edges[edge].to);
  auto source = sourceOf(edge);
  if (consumer == held.end() || source == nullptr) co_return;
  KJ_IF_MAYBE(local, consumer->second.local) {
    (*local)->runner().rewire(KJ_ASSERT_NONNULL(source));
  }
  KJ_IF_MAYBE(lease, consumer->second.lease) {
    auto request = lease->rewireRequest();
    write(KJ_ASSERT_NONNULL(source), request.initInput());
    try {
      co_await request.send().ignoreResult();
    } catch (const kj::Exception& e) {
      KJ_LOG(INFO, "a consumer was not told of a new place", e.getDescription());
    }
  }
}

kj::Promise<void> JobRunner::keep(
    StageIndex stage, uint32_t attempt, rpc::RunningStage::Client lease) {
  Result<void> how;
  try {
    auto ended = lease.endedRequest().send().then([](auto&& response) -> Result<void> {
      if (response.getCode() == 0) return {};
      return no(stageEnd(static_cast<Errc>(response.getCode())));
    });
    how = co_await ended.exclusiveJoin(renew(lease).then([]() -> Result<void> { return {}; }));
  } catch (const kj::Exception& e) {
    // A device that went away is the fleet's news; it comes by lost().
    if (e.getType() == kj::Exception::Type::DISCONNECTED) co_return;
    how = no(Errc::STALE, "the stage's lease was lost");
  }
  stageOver(stage, attempt, how);
}

kj::Promise<void> JobRunner::renew(rpc::RunningStage::Client lease) {
  for (;;) {
    co_await executor.time().afterDelay(RENEW_EVERY);
    co_await lease.renewRequest().send().ignoreResult();
  }
}

void JobRunner::stageOver(StageIndex stage, uint32_t attempt, Result<void> how) {
  // Carried out later: this runs inside a promise that `held` owns.
  tasks.add(kj::evalLater([this, stage, attempt, how]() {
    carryOut(how ? decisions.ended(stage, attempt) : decisions.failed(stage, attempt, how.error()));
  }));
}

void JobRunner::reported(StageIndex stage, uint32_t attempt, rpc::Moment moment, int64_t atMs) {
  if (!decisions.isCurrent(stage, attempt)) return;
  bool started = moment == rpc::Moment::STARTED;
  bool isSource = job.stages[stage].stage.kind == JobStage::Kind::SOURCE;
  if (started && isSource) sourceStart = atMs;
  auto device = decisions.assigned(stage).map([](auto& place) { return place.device; });
  observer.noted({started ? JobNote::Kind::STARTED : JobNote::Kind::FIRST_FRAME, stage,
                     device.orDefault(DeviceId()), attempt, ""},
      atMs);
}

void JobRunner::writeOrder(const StageRunner::Order& order, rpc::StageOrder::Builder out) {
  out.setJob(job.id.asBytes());
  out.setStage(order.spec.stage);
  out.setAttempt(order.attempt);
  out.setKind(kindOf(job.stages[order.spec.stage].stage.kind));
  out.setTask(order.spec.task.c_str());
  out.setParams(order.spec.params.c_str());
  out.setLeaseMs(LEASE / kj::MILLISECONDS);
  if (!order.spec.plugin.isZero()) out.setPlugin(order.spec.plugin.asBytes());
  auto inputs = out.initInputs(order.inputs.size());
  for (size_t port = 0; port < order.inputs.size(); ++port) write(order.inputs[port], inputs[port]);
  auto outputs = out.initOutputs(order.outputs.size());
  for (size_t i = 0; i < order.outputs.size(); ++i) {
    outputs[i].setEdge(order.outputs[i].edge);
    outputs[i].setPort(order.outputs[i].port);
  }
}

kj::Maybe<EdgeSource> JobRunner::sourceOf(size_t edge) const {
  auto producer = job.edges[edge].from;
  KJ_IF_MAYBE(place, decisions.assigned(producer)) {
    return EdgeSource{
        static_cast<EdgeIndex>(edge), place->device, producer, decisions.attempt(producer)};
  }
  return nullptr;
}

StageRunner::Order JobRunner::orderFor(StageIndex stage, uint32_t attempt) const {
  auto& spec = job.stages[stage];
  StageRunner::Order order{
      .spec = {.job = job.id, .stage = stage, .task = spec.task, .params = spec.params},
      .attempt = attempt};
  KJ_IF_MAYBE(place, decisions.assigned(stage)) order.spec.plugin = place->plugin;
  for (size_t edge = 0; edge < job.edges.size(); ++edge) {
    if (job.edges[edge].from == stage)
      order.outputs.push_back({static_cast<EdgeIndex>(edge), job.edges[edge].fromPort});
    if (job.edges[edge].to != stage) continue;
    size_t port = job.edges[edge].toPort;
    if (order.inputs.size() <= port) order.inputs.resize(port + 1);
    order.inputs[port] = KJ_REQUIRE_NONNULL(sourceOf(edge));
  }
  order.spec.inputs = order.inputs.size();
  return order;
}

rpc::StageWatch::Client JobRunner::watchOf(StageIndex stage, uint32_t attempt) {
  return kj::heap<Watch>(kj::addRef(*weakSelf), stage, attempt);
}

void JobRunner::taskFailed(kj::Exception&& e) {
  KJ_LOG(WARNING, "a step of a job failed", e.getDescription());
}

}  // namespace hearth::router

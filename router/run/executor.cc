#include "router/run/executor.h"

#include "router/run/stage-host.h"

#include <kj/debug.h>

namespace hearth::router {

// Streams of consumers that went away, and reports to coordinators that did: neither is news.
class Executor::Reports final: public kj::TaskSet::ErrorHandler {
 public:
  void taskFailed(kj::Exception&& e) override {
    if (e.getType() == kj::Exception::Type::FAILED)
      KJ_LOG(INFO, "an edge stream or a report was dropped", e.getDescription());
  }
};

Executor::Running::Running(Executor& executor, StageRunner::Order order,
    kj::Own<PreparedStage> prepared, rpc::StageWatch::Client watch)
    : executor(executor),
      key(order.spec.job, order.spec.stage),
      watch(kj::mv(watch)),
      reports(executor.tasks),
      stage(kj::mv(order), kj::mv(prepared), executor.timer, executor, *this) {
  ++executor.running;
  // A newer attempt takes the place of an older one, whichever was ready first.
  auto there = executor.stages.try_emplace(key, this).first;
  if (there->second->stage.attempt() <= stage.attempt()) there->second = this;
}

Executor::Running::~Running() noexcept(false) {
  --executor.running;
  auto registered = executor.stages.find(key);
  if (registered != executor.stages.end() && registered->second == this)
    executor.stages.erase(registered);
}

void Executor::Running::stageStarted() { report(rpc::Moment::STARTED); }

void Executor::Running::firstFrameAccepted() { report(rpc::Moment::FIRST_FRAME); }

void Executor::Running::report(rpc::Moment moment) {
  auto request = watch.reportRequest();
  request.setWhat(moment);
  request.setAtMs((executor.clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS);
  reports.add(request.send().ignoreResult());
}

Executor::Executor(
    kj::Timer& timer, const kj::Clock& clock, DeviceId self, StageBodies& bodies, Peers& peers)
    : timer(timer),
      clock(clock),
      self(self),
      bodies(bodies),
      peers(peers),
      quiet(kj::heap<Reports>()),
      tasks(*quiet) {}

Executor::~Executor() noexcept(false) = default;

rpc::StageHost::Client Executor::host(const DeviceId& coordinator) {
  return kj::heap<StageHostServer>(*this, coordinator);
}

kj::Own<Executor::Running> Executor::start(
    StageRunner::Order order, kj::Own<PreparedStage> prepared, rpc::StageWatch::Client watch) {
  return kj::heap<Running>(*this, kj::mv(order), kj::mv(prepared), kj::mv(watch));
}

kj::Promise<Result<kj::Own<PreparedStage>>> Executor::prepare(
    rpc::StageOrder::Kind kind, const StageSpec& spec) {
  if (!hasRoom()) {
    return Result<kj::Own<PreparedStage>>(no(NO_ROOM));
  }
  if (kind == rpc::StageOrder::Kind::PLUGIN) return bodies.plugin(spec);
  if (kind == rpc::StageOrder::Kind::SOURCE) return bodies.source(spec);
  return Result<kj::Own<PreparedStage>>(
      no(Errc::NOT_AUTHORISED, "a sink belongs to the device that coordinates the job"));
}

void Executor::addTo(Holdings& holdings) const {
  for (auto& [key, stage]: stages) stage->runner().addTo(holdings);
}

void Executor::acceptEdge(kj::ArrayPtr<const kj::byte> header, kj::Own<kj::AsyncIoStream> stream) {
  auto parsed = decodeEdgeHeader(header);
  if (parsed) tasks.add(welcome(*parsed, kj::mv(stream)));
}

kj::Promise<kj::Own<kj::AsyncIoStream>> Executor::dial(
    const DeviceId& device, const EdgeHeader& header) {
  if (device != self) return peers.openEdge(device, encode(header));
  auto pipe = kj::newTwoWayPipe();
  tasks.add(welcome(header, kj::mv(pipe.ends[0])));
  return kj::mv(pipe.ends[1]);
}

kj::Promise<void> Executor::welcome(EdgeHeader header, kj::Own<kj::AsyncIoStream> stream) {
  auto message =
      co_await timer.timeoutAfter(RESUME_WITHIN, readMessage(*stream, CONTROL_BYTES_MAX));
  auto resume = decodeResume(message);
  auto stage = stages.find({header.job, header.producer});
  // A consumer may come before its producer: it dials again (EdgeReceiver::RETRY_AFTER).
  if (!resume || stage == stages.end()) co_return;
  auto& runner = stage->second->runner();
  if (runner.attempt() != header.producerAttempt) co_return;
  auto attached =
      runner.attach(header.edge, header.consumerAttempt, kj::mv(*resume), kj::mv(stream));
  if (!attached) KJ_LOG(INFO, "an edge stream was refused", attached.error().because);
}

}  // namespace hearth::router

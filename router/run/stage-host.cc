#include "router/run/stage-host.h"

#include <kj/debug.h>

namespace hearth::router {

namespace {

EdgeSource sourceOf(rpc::Input::Reader input) {
  auto device = DeviceId::from(input.getDevice());
  KJ_REQUIRE(device.has_value(), "an input without a device");
  return EdgeSource{input.getEdge(), *device, input.getStage(), input.getAttempt()};
}

StageRunner::Order orderOf(rpc::StageOrder::Reader reader) {
  StageRunner::Order order;
  auto job = JobId::from(reader.getJob());
  KJ_REQUIRE(job.has_value(), "an order without a job");
  KJ_REQUIRE(reader.getTask().size() + reader.getParams().size() <= StageHostServer::TEXT_BYTES_MAX,
      "an order over its limit");
  KJ_REQUIRE(reader.getInputs().size() <= Checkpoint::INPUTS_MAX, "a stage with too many inputs");
  KJ_REQUIRE(reader.getOutputs().size() <= UINT8_MAX, "a stage with too many outputs");
  order.spec.job = *job;
  order.spec.stage = reader.getStage();
  order.spec.task = reader.getTask().cStr();
  order.spec.params = reader.getParams().cStr();
  order.spec.plugin = Digest::from(reader.getPlugin()).value_or(Digest());
  order.spec.inputs = reader.getInputs().size();
  order.attempt = reader.getAttempt();
  for (auto input: reader.getInputs()) order.inputs.push_back(sourceOf(input));
  for (auto output: reader.getOutputs())
    order.outputs.push_back({output.getEdge(), output.getPort()});
  return order;
}

// A stage under a lease. Cap'n Proto destroys it when the coordinator drops it or its link breaks.
class RunningStageServer final: public rpc::RunningStage::Server {
 public:
  static constexpr kj::Duration LATENESS_MAX = 500 * kj::MILLISECONDS;

  RunningStageServer(kj::Timer& timer, kj::Own<Executor::Running> running, kj::Duration lease)
      : timer(timer),
        running(kj::mv(running)),
        lease(lease),
        leaseUntil(timer.now() + lease),
        expiring(expire().eagerlyEvaluate(nullptr)) {}

  kj::Promise<void> renew(RenewContext) override {
    requireRunning();
    leaseUntil = timer.now() + lease;
    return kj::READY_NOW;
  }

  kj::Promise<void> rewire(RewireContext context) override {
    requireRunning().runner().rewire(sourceOf(context.getParams().getInput()));
    return kj::READY_NOW;
  }

  kj::Promise<void> ended(EndedContext context) override {
    auto how = co_await requireRunning().runner().ended();
    auto results = context.getResults();
    results.setCode(how ? 0 : static_cast<uint16_t>(how.error().code));
    if (!how) results.setBecause(how.error().because);
  }

 private:
  kj::Timer& timer;
  kj::Maybe<kj::Own<Executor::Running>> running;
  kj::Duration lease;
  kj::TimePoint leaseUntil;
  kj::Promise<void> expiring;

  Executor::Running& requireRunning() {
    return *KJ_REQUIRE_NONNULL(running, "the lease has run out");
  }

  kj::Promise<void> expire() {
    for (;;) {
      auto due = leaseUntil;
      co_await timer.atTime(due);
      // Woken late, this device slept itself: renewals may wait to be read.
      if (timer.now() - due > LATENESS_MAX) leaseUntil = timer.now() + lease;
      if (leaseUntil <= due) break;
    }
    KJ_LOG(WARNING, "a coordinator did not renew its lease; the stage is stopped");
    running = nullptr;
  }
};

[[noreturn]] void refuse(const Error& error) {
  bool noRoom = error.code == Errc::LIMIT_EXCEEDED || error.code == Errc::BUSY;
  kj::throwFatalException(
      kj::Exception(noRoom ? kj::Exception::Type::OVERLOADED : kj::Exception::Type::FAILED,
          __FILE__, __LINE__, kj::str(nameOf(error.code), ": ", error.because)));
}

}  // namespace

Error errorOf(const kj::Exception& failure) {
  switch (failure.getType()) {
    case kj::Exception::Type::OVERLOADED:
      return {Errc::BUSY, "the device has no room"};
    case kj::Exception::Type::DISCONNECTED:
      return {Errc::UNKNOWN_PEER, "the device went away"};
    default:
      return {Errc::NOT_AUTHORISED, "the device refused the stage; see its log"};
  }
}

Error stageEnd(Errc code) {
  switch (code) {
    case Errc::INTEGRITY_FAILED:
      return {code, "the plugin crashed or broke its protocol"};
    case Errc::QUOTA_EXCEEDED:
      return {code, "the plugin hung or went over a quota"};
    case Errc::LIMIT_EXCEEDED:
      return {code, "the plugin was killed, for want of memory perhaps"};
    case Errc::POLICY_DENIED:
      return {code, "the plugin made a system call that plugins may not make"};
    case Errc::BAD_FORMAT:
    case Errc::BAD_LENGTH:
    case Errc::BAD_VERSION:
      return {code, "the stage gave or was given what cannot be read; see the device's log"};
    default:
      return {code, "the stage ended before its input did"};
  }
}

kj::Promise<void> StageHostServer::start(StartContext context) {
  auto params = context.getParams();
  auto reader = params.getOrder();
  auto order = orderOf(reader);
  order.spec.coordinator = coordinator;
  auto lease = kj::min(kj::max(reader.getLeaseMs() * kj::MILLISECONDS, LEASE_MIN), LEASE_MAX);
  auto prepared = co_await executor.prepare(reader.getKind(), order.spec);
  if (!prepared) refuse(prepared.error());
  // While this one was made ready, others may have taken the room.
  if (!executor.hasRoom()) refuse(Executor::NO_ROOM);
  auto running = executor.start(kj::mv(order), kj::mv(*prepared), params.getWatch());
  context.getResults().setStage(
      kj::heap<RunningStageServer>(executor.time(), kj::mv(running), lease));
}

}  // namespace hearth::router

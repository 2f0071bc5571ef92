#include "router/run/stage-runner.h"

#include <kj/debug.h>

namespace hearth::router {

namespace {

// A consumer that has no lineage yet lets its producer begin from the beginning.
Checkpoint originOf(const Resume& resume, const StageSpec& spec) {
  Checkpoint origin{spec.stage, 0, std::vector<uint64_t>(spec.inputs), {}};
  for (auto& checkpoint: resume.lineage) {
    if (checkpoint.stage == spec.stage) origin = checkpoint;
  }
  return origin;
}

Lineage upstreamOf(const Resume& resume, StageIndex stage) {
  Lineage upstream;
  for (auto& checkpoint: resume.lineage) {
    if (checkpoint.stage != stage) upstream.push_back(checkpoint);
  }
  return upstream;
}

}  // namespace

StageRunner::StageRunner(Order orderIn, kj::Own<PreparedStage> preparedIn, kj::Timer& timer,
    EdgeDialer& dialer, Observer& observer)
    : order(kj::mv(orderIn)),
      prepared(kj::mv(preparedIn)),
      timer(timer),
      observer(observer),
      endedPromise(nullptr),
      dialer(dialer),
      running(nullptr) {
  for (auto& output: order.outputs) {
    senders.push_back(kj::heap<EdgeSender>(output.edge, static_cast<EdgeSender::Owner&>(*this)));
  }
  auto paf = kj::newPromiseAndFulfiller<Result<void>>();
  endedFulfiller = kj::mv(paf.fulfiller);
  endedPromise = paf.promise.fork();
  running = run().eagerlyEvaluate([this](kj::Exception&& e) {
    KJ_LOG(ERROR, "a stage stopped", e);
    finish(no(Errc::BAD_FORMAT, "the stage stopped by an exception; see the daemon's log"));
  });
}

Result<void> StageRunner::attach(
    EdgeIndex edge, uint32_t attempt, Resume resume, kj::Own<kj::AsyncIoStream> stream) {
  for (auto& sender: senders) {
    if (sender->edge != edge) continue;
    auto attached = sender->attach(attempt, kj::mv(resume), kj::mv(stream));
    KJ_IF_MAYBE(waiting, allAttached) (*waiting)->fulfill();
    if (!attached && attached.error().code == Errc::STALE) finish(attached);
    return attached;
  }
  return no(Errc::UNKNOWN_PEER, "an edge that the stage does not have");
}

void StageRunner::rewire(EdgeSource source) {
  for (size_t port = 0; port < order.inputs.size(); ++port) {
    if (order.inputs[port].edge != source.edge) continue;
    order.inputs[port] = source;
    if (port < receivers.size()) receivers[port]->follow(source);
  }
}

void StageRunner::addTo(Holdings& holdings) const {
  for (auto& sender: senders) sender->addTo(holdings);
  for (auto& receiver: receivers) receiver->addTo(holdings);
}

kj::Promise<void> StageRunner::run() {
  co_await waitForConsumers();
  if (auto opened = co_await open(); !opened) {
    finish(opened);
    co_return;
  }
  observer.stageStarted();
  kj::Vector<kj::Promise<Result<void>>> tasks;
  for (size_t port = 0; port < receivers.size(); ++port) tasks.add(feed(port));
  tasks.add(drain());
  // The first to fail ends the stage; a feed that has come to its end leaves the rest running.
  for (auto& task: tasks) {
    task = task.then([this](Result<void> result) {
      if (!result) finish(result);
      return result;
    });
  }
  // Not joinPromises: it looks at no result before the last task is done.
  co_await kj::joinPromisesFailFast(tasks.releaseAsArray()).ignoreResult();
}

kj::Promise<void> StageRunner::waitForConsumers() {
  for (auto& sender: senders) {
    while (!sender->attached()) {
      auto paf = kj::newPromiseAndFulfiller<void>();
      allAttached = kj::mv(paf.fulfiller);
      co_await paf.promise;
    }
  }
}

Resume StageRunner::oldestResume() const {
  Resume oldest;
  uint64_t least = UINT64_MAX;
  for (auto& sender: senders) {
    auto outSeq = originOf(sender->resume(), order.spec).outSeq;
    if (outSeq < least) oldest = sender->resume(), least = outSeq;
  }
  return oldest;
}

kj::Promise<Result<void>> StageRunner::open() {
  auto resume = oldestResume();
  auto origin = originOf(resume, order.spec);
  auto upstream = upstreamOf(resume, order.spec.stage);
  if (origin.inUpto.size() != order.inputs.size())
    co_return no(Errc::BAD_FORMAT, "a lineage that does not fit the stage");
  auto opened = co_await prepared->open(origin);
  if (!opened) co_return no(opened.error());
  body = kj::mv(*opened);
  outSeq = origin.outSeq;
  for (auto& sender: senders) sender->beginAfter(outSeq);
  for (size_t port = 0; port < order.inputs.size(); ++port) {
    receivers.push_back(kj::heap<EdgeReceiver>(
        timer, dialer, order.spec.job, order.attempt, Resume{origin.inUpto[port], upstream}));
    receivers.back()->follow(order.inputs[port]);
  }
  checkpoints.emplace(kj::mv(origin), kj::mv(upstream));
  co_return Result<void>();
}

kj::Promise<Result<void>> StageRunner::feed(size_t port) {
  for (;;) {
    auto frame = co_await receivers[port]->next();
    if (!frame) co_return no(frame.error());
    if (!frame->lineage.empty())
      KJ_ASSERT_NONNULL(checkpoints).received(port, frame->seq, frame->lineage);
    auto written = co_await body->write(port, *frame);
    if (!written) co_return written;
    if (!accepted) observer.firstFrameAccepted();
    accepted = true;
    // A sink makes nothing that could be committed: what it has delivered is.
    if (senders.empty()) receivers[port]->commit(frame->seq);
    if (frame->ends()) break;
  }
  if (senders.empty()) finish({});
  co_return Result<void>();
}

kj::Promise<Result<void>> StageRunner::drain() {
  while (!senders.empty() && !outputEnded) {
    while (anyFull()) {
      auto paf = kj::newPromiseAndFulfiller<void>();
      spaceAgain = kj::mv(paf.fulfiller);
      co_await paf.promise;
    }
    auto output = co_await body->read();
    if (!output) co_return no(output.error());
    if (auto published = publish(kj::mv(*output)); !published) co_return published;
  }
  co_return Result<void>();
}

Result<void> StageRunner::publish(StageBody::Output&& output) {
  ++outSeq;
  Lineage lineage;
  KJ_IF_MAYBE(cut, output.cut) {
    auto made = KJ_ASSERT_NONNULL(checkpoints).cut(outSeq, kj::mv(cut->inUpto), kj::mv(cut->state));
    if (!made) return no(made.error());
    lineage = kj::mv(*made);
  }
  outputEnded = output.flags & Frame::END;
  for (size_t i = 0; i < senders.size(); ++i) {
    // Frames of other ports pass as empty ones, so that one numbering serves all of a stage's edges.
    bool meant = order.outputs[i].port == output.port || outputEnded;
    senders[i]->push(Frame{.seq = outSeq,
        .flags = meant ? output.flags : uint8_t{0},
        .ptsUs = output.ptsUs,
        .lineage = lineage,
        .payload = meant ? kj::heapArray<const kj::byte>(output.payload) : nullptr});
  }
  return {};
}

bool StageRunner::anyFull() const {
  for (auto& sender: senders) {
    if (sender->full()) return true;
  }
  return false;
}

void StageRunner::edgeCommitted() {
  KJ_IF_MAYBE(waiting, spaceAgain) (*waiting)->fulfill();
  uint64_t upto = UINT64_MAX;
  for (auto& sender: senders) upto = kj::min(upto, sender->committedUpto());
  KJ_IF_MAYBE(inUpto, KJ_ASSERT_NONNULL(checkpoints).committed(upto)) passCommit(*inUpto);
  if (outputEnded && upto == outSeq) finish({});
}

void StageRunner::passCommit(const std::vector<uint64_t>& inUpto) {
  for (size_t port = 0; port < receivers.size(); ++port) receivers[port]->commit(inUpto[port]);
}

void StageRunner::finish(Result<void> how) {
  if (endedFulfiller->isWaiting()) endedFulfiller->fulfill(kj::mv(how));
}

}  // namespace hearth::router

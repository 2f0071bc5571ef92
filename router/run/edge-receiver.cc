#include "router/run/edge-receiver.h"

#include <kj/debug.h>

namespace hearth::router {

namespace {

void wake(kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>>& waiting) {
  KJ_IF_MAYBE(fulfiller, waiting) (*fulfiller)->fulfill();
  waiting = nullptr;
}

kj::Promise<void> sleepOn(kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>>& waiting) {
  auto paf = kj::newPromiseAndFulfiller<void>();
  waiting = kj::mv(paf.fulfiller);
  return kj::mv(paf.promise);
}

}  // namespace

EdgeReceiver::EdgeReceiver(
    kj::Timer& timer, EdgeDialer& dialer, JobId job, uint32_t ownAttempt, Resume from)
    : timer(timer),
      dialer(dialer),
      job(job),
      ownAttempt(ownAttempt),
      position(kj::mv(from)) {}

void EdgeReceiver::follow(EdgeSource source) {
  reading = readFrom(source).eagerlyEvaluate(
      [](kj::Exception&& e) { KJ_LOG(ERROR, "an edge's reader stopped", e); });
}

kj::Promise<Result<Frame>> EdgeReceiver::next() {
  while (queue.empty()) {
    KJ_IF_MAYBE(error, broken) co_return no(*error);
    co_await sleepOn(wakeTaker);
  }
  auto frame = kj::mv(queue.front());
  queue.pop_front();
  wake(wakeReader);
  co_return kj::mv(frame);
}

void EdgeReceiver::commit(uint64_t seq) {
  if (seq <= commitUpto) return;
  commitUpto = seq;
  wake(wakeCommitter);
}

kj::Promise<void> EdgeReceiver::readFrom(EdgeSource source) {
  EdgeHeader header{job, source.edge, source.stage, source.attempt, ownAttempt};
  while (!over()) {
    try {
      auto stream = co_await dialer.dial(source.device, header);
      co_await writeMessage(*stream, encode(position));
      co_await readStream(*stream).exclusiveJoin(passCommits(*stream));
    } catch (const kj::Exception& gone) {
      // The producer's device, link or stage went away: the coordinator finds out by itself.
      if (gone.getType() == kj::Exception::Type::FAILED)
        KJ_LOG(INFO, "an edge is dialled again", gone.getDescription());
    }
    if (!over()) co_await timer.afterDelay(RETRY_AFTER);
  }
}

kj::Promise<void> EdgeReceiver::readStream(kj::AsyncIoStream& stream) {
  for (;;) {
    while (queue.size() >= QUEUE_FRAMES_MAX) co_await sleepOn(wakeReader);
    if (endSeq != nullptr) co_await kj::Promise<void>(kj::NEVER_DONE);  // commits are still to pass
    auto message = co_await readMessage(stream, FRAME_BYTES_MAX);
    if (!take(decodeFrame(message))) co_return;
  }
}

kj::Promise<void> EdgeReceiver::passCommits(kj::AsyncIoStream& stream) {
  uint64_t told = 0;
  while (!endTold) {
    if (commitUpto > told) {
      told = commitUpto;
      auto message = encodeCommit(told);
      co_await writeMessage(stream, message);
      endTold = endSeq.orDefault(UINT64_MAX) <= told;
    } else {
      co_await sleepOn(wakeCommitter);
    }
  }
}

// Nothing is left to read, and the producer knows that it is not needed any more.
bool EdgeReceiver::over() const { return broken != nullptr || endTold; }

bool EdgeReceiver::take(Result<Frame>&& frame) {
  if (frame && frame->seq <= position.haveSeq) return true;  // had it from another attempt
  if (frame && frame->seq == position.haveSeq + 1) {
    position.haveSeq = frame->seq;
    if (!frame->lineage.empty()) position.lineage = frame->lineage;
    if (frame->ends()) endSeq = frame->seq;
    queue.push_back(kj::mv(*frame));
  } else {
    broken = frame ? Error{Errc::BAD_FORMAT, "a frame is missing on an edge"} : frame.error();
  }
  wake(wakeTaker);
  return broken == nullptr;
}

}  // namespace hearth::router

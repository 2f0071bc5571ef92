#include "router/run/edge-sender.h"

#include <kj/debug.h>

namespace hearth::router {

namespace {
// A consumer that has gone away is no failure: its frames are kept until the next one attaches.
void forgetConsumer(kj::Exception&& gone) {
  if (gone.getType() != kj::Exception::Type::DISCONNECTED)
    KJ_LOG(WARNING, "an edge's consumer was dropped", gone.getDescription());
}
}  // namespace

Result<void> EdgeSender::attach(
    uint32_t attempt, Resume resume, kj::Own<kj::AsyncIoStream> newStream) {
  if (everAttached && attempt < consumerAttempt)
    return no(Errc::BUSY, "a later consumer has attached already");
  if (begun && resume.haveSeq + 1 < buffer.firstSeq())
    return no(Errc::STALE, "a consumer goes on before where this attempt began");
  sending = nullptr;
  listening = nullptr;
  everAttached = true;
  consumerAttempt = attempt;
  origin = kj::mv(resume);
  nextToSend = origin.haveSeq + 1;
  stream = kj::mv(newStream);
  if (begun) startTasks();
  return {};
}

void EdgeSender::beginAfter(uint64_t outSeq) {
  KJ_REQUIRE(!begun);
  begun = true;
  buffer = EdgeBuffer(outSeq + 1);
  if (everAttached) startTasks();
}

void EdgeSender::push(Frame&& frame) {
  KJ_REQUIRE(begun);
  buffer.push(kj::mv(frame));
  applyCommit();
  KJ_IF_MAYBE(waiting, wakeSender) (*waiting)->fulfill();
}

// The frame that fills it up may be as long as a frame can be.
void EdgeSender::addTo(Holdings& holdings) const {
  holdings.push_back({"frames of an edge", buffer.sizeFrames(), EdgeBuffer::FRAMES_MAX});
  holdings.push_back(
      {"bytes of an edge", buffer.sizeBytes(), EdgeBuffer::BYTES_MAX + FRAME_BYTES_MAX});
}

void EdgeSender::startTasks() {
  sending = send().eagerlyEvaluate(&forgetConsumer);
  listening = listen().eagerlyEvaluate(&forgetConsumer);
}

kj::Promise<void> EdgeSender::send() {
  for (;;) {
    // A commit may pass frames that were not sent: the consumer had them from another producer.
    nextToSend = kj::max(nextToSend, buffer.firstSeq());
    auto frame = buffer.at(nextToSend);
    KJ_IF_MAYBE(ready, frame) {
      ++nextToSend;
      co_await writeMessage(*stream, (*ready)->bytes);
    } else {
      auto paf = kj::newPromiseAndFulfiller<void>();
      wakeSender = kj::mv(paf.fulfiller);
      co_await paf.promise;
    }
  }
}

kj::Promise<void> EdgeSender::listen() {
  for (;;) {
    auto message = co_await readMessage(*stream, CONTROL_BYTES_MAX);
    auto seq = decodeCommit(message);
    KJ_REQUIRE(seq.has_value() && committed(*seq).has_value(), "a consumer broke the protocol");
  }
}

Result<void> EdgeSender::committed(uint64_t seq) {
  if (seq >= kj::max(nextToSend, origin.haveSeq + 1))
    return no(Errc::BAD_FORMAT, "a commit of frames that the consumer does not have");
  commitAsked = kj::max(commitAsked, seq);
  applyCommit();
  return {};
}

void EdgeSender::applyCommit() {
  auto upto = kj::min(commitAsked, buffer.nextSeq() - 1);
  if (upto < buffer.firstSeq()) return;
  KJ_ASSERT(buffer.commit(upto).has_value());
  owner.edgeCommitted();
}

}  // namespace hearth::router

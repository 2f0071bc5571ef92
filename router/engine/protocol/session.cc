#include "router/engine/protocol/session.h"

#include <kj/debug.h>

namespace hearth::engine {

namespace {
auto outOfTurn() { return no(Errc::BAD_FORMAT, "the plugin sent a message out of turn"); }
auto notSent() {
  return no(Errc::INTEGRITY_FAILED, "the plugin speaks of input that it was not sent");
}
}  // namespace

kj::Array<kj::byte> EngineSession::open(const EngineJob& job, kj::TimePoint now) {
  KJ_REQUIRE(current == State::IDLE);
  KJ_REQUIRE(!job.nextInSeq.empty() && job.nextInSeq.size() <= ENGINE_INPUTS_MAX);
  beginOwing(now);
  current = State::OPENING;
  ++jobId;
  unconsumed = 0;
  nextOut = job.nextOutSeq;
  outEnded = false;
  sentUpto.clear();
  for (auto seq: job.nextInSeq) {
    KJ_REQUIRE(seq > 0);
    sentUpto.push_back(seq - 1);
  }
  consumedUpto = cutUpto = sentUpto;
  return openMessage(jobId, job);
}

kj::Array<kj::byte> EngineSession::frame(const EngineFrame& frame, kj::TimePoint now) {
  if (current == State::FAILED || current == State::CLOSING) return nullptr;
  KJ_REQUIRE(current == State::OPEN && mayWrite());
  KJ_REQUIRE(frame.port < sentUpto.size());
  KJ_REQUIRE(frame.seq == sentUpto[frame.port] + 1, frame.seq, sentUpto[frame.port]);
  beginOwing(now);
  ++unconsumed;
  ++sentUpto[frame.port];
  return frameMessageHead(jobId, frame);
}

kj::Array<kj::byte> EngineSession::close(kj::TimePoint now) {
  KJ_REQUIRE(hasJob() && current != State::CLOSING);
  beginOwing(now);
  current = State::CLOSING;
  return emptyMessage(ENGINE_CLOSE, jobId);
}

Result<void> EngineSession::accepts(const EngineHeader& header) const {
  if (header.length > limits.bodyBytesMax) {
    return no(Errc::QUOTA_EXCEEDED, "the plugin's output is over its quota");
  }
  bool jobless = header.type == ENGINE_READY || header.type == ENGINE_PONG ||
      (header.type == ENGINE_FAILED && current == State::STARTING);
  if (header.jobId != (jobless ? 0 : jobId) || (!jobless && !hasJob())) {
    return no(Errc::INTEGRITY_FAILED, "the plugin answers for another job");
  }
  return {};
}

Result<kj::Maybe<PluginMessage>> EngineSession::received(
    const EngineHeader& header, kj::ArrayPtr<const kj::byte> body, kj::TimePoint now) {
  if (auto good = accepts(header); !good) return no(good.error());
  auto message = parseBody(header.type, body);
  if (!message) return no(message.error());
  if (auto good = check(*message); !good) return no(good.error());
  lastHeard = now;
  if (message->is<ConsumedMessage>()) return nullptr;
  return kj::mv(*message);
}

kj::Maybe<kj::TimePoint> EngineSession::deadline() const {
  if (!owes()) return nullptr;
  return lastHeard + limits.silenceMax;
}

bool EngineSession::owes() const {
  switch (current) {
    case State::STARTING:
    case State::OPENING:
    case State::CLOSING:
      return true;
    case State::OPEN:
      return unconsumed > 0;
    case State::IDLE:
    case State::FAILED:
      return false;
  }
  KJ_UNREACHABLE;
}

// Its clock starts when it begins to owe, not when it owes a little more.
void EngineSession::beginOwing(kj::TimePoint now) {
  if (!owes()) lastHeard = now;
}

Result<void> EngineSession::check(const PluginMessage& message) {
  KJ_SWITCH_ONEOF(message) {
    KJ_CASE_ONEOF(ready, ReadyMessage) { return checkReady(ready); }
    KJ_CASE_ONEOF(opened, OpenedMessage) {
      if (current == State::CLOSING) return {};  // closed before it had opened
      if (current != State::OPENING) return outOfTurn();
      current = State::OPEN;
    }
    KJ_CASE_ONEOF(out, OutMessage) { return checkOut(out); }
    KJ_CASE_ONEOF(closed, ClosedMessage) {
      if (current != State::CLOSING) return outOfTurn();
      current = State::IDLE;
    }
    KJ_CASE_ONEOF(failed, FailedMessage) {
      if (current == State::CLOSING) return {};
      if (current == State::FAILED) return outOfTurn();
      // While starting it is the last that is heard of the process: the state stays.
      if (current != State::STARTING) current = State::FAILED;
    }
    KJ_CASE_ONEOF(pong, PongMessage) { return outOfTurn(); }  // no PING is sent in ABI 1
    KJ_CASE_ONEOF(consumed, ConsumedMessage) { return checkConsumed(consumed); }
  }
  return {};
}

Result<void> EngineSession::checkReady(const ReadyMessage& ready) {
  if (current != State::STARTING) return outOfTurn();
  if (ready.abi != ENGINE_ABI) return no(Errc::BAD_VERSION, "the plugin speaks another ABI");
  current = State::IDLE;
  return {};
}

Result<void> EngineSession::checkOut(const OutMessage& out) {
  if (current != State::OPEN && current != State::CLOSING) return outOfTurn();
  if (outEnded) return no(Errc::INTEGRITY_FAILED, "the plugin goes on after its end");
  if (out.frame.seq != nextOut) {
    return no(Errc::INTEGRITY_FAILED, "the plugin's output is not numbered without gaps");
  }
  ++nextOut;
  outEnded = out.frame.flags & ENGINE_FLAG_END;
  KJ_IF_MAYBE(cut, out.cut) {
    if (cut->inUpto.size() != sentUpto.size()) {
      return no(Errc::BAD_FORMAT, "the plugin cuts with another number of inputs");
    }
    for (size_t i = 0; i < sentUpto.size(); ++i) {
      if (cut->inUpto[i] > sentUpto[i] || cut->inUpto[i] < cutUpto[i]) return notSent();
    }
    cutUpto = cut->inUpto;
  }
  return {};
}

Result<void> EngineSession::checkConsumed(const ConsumedMessage& consumed) {
  if (current != State::OPEN && current != State::CLOSING) return outOfTurn();
  if (consumed.port >= sentUpto.size()) return notSent();
  auto& upto = consumedUpto[consumed.port];
  if (consumed.seq <= upto || consumed.seq > sentUpto[consumed.port]) return notSent();
  unconsumed -= consumed.seq - upto;
  upto = consumed.seq;
  return {};
}

}  // namespace hearth::engine

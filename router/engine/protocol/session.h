#pragma once
// The daemon's side of the engine protocol as a machine: keeps what the plugin may say next, what it
// owes and since when, and refuses everything else. Holds no descriptor and no timer.
//
//   STARTING ──READY──▶ IDLE ──open()──▶ OPENING ──OPENED──▶ OPEN ──close()──▶ CLOSING ──CLOSED──▶ IDLE
//                                           └─────FAILED─────┴──▶ FAILED ──close()──▶ CLOSING
//
// Any error of received() is for good: the plugin is to be killed.

#include "router/engine/protocol/message.h"

#include <kj/time.h>

namespace hearth::engine {

class EngineSession final {
 public:
  enum class State : uint8_t { STARTING, IDLE, OPENING, OPEN, FAILED, CLOSING };

  struct Limits {
    size_t bodyBytesMax = ENGINE_BODY_BYTES_MAX;  // of a message from the plugin
    kj::Duration silenceMax = 120 * kj::SECONDS;  // while it owes something
  };

  EngineSession(Limits limits, kj::TimePoint now): limits(limits), lastHeard(now) {}

  State state() const { return current; }

  // The messages to send. Each requires the state that the picture shows.
  kj::Array<kj::byte> open(const EngineJob& job, kj::TimePoint now);
  // The head of a FRAME; the payload follows. Requires OPEN, mayWrite(), and the next number of the
  // frame's port. In FAILED and CLOSING nothing is sent any more: empty.
  kj::Array<kj::byte> frame(const EngineFrame& frame, kj::TimePoint now);
  // May follow any state of an open job.
  kj::Array<kj::byte> close(kj::TimePoint now);

  // Fewer than ENGINE_UNCONSUMED_MAX frames are on their way.
  bool mayWrite() const { return unconsumed < ENGINE_UNCONSUMED_MAX; }
  uint64_t framesUnconsumed() const { return unconsumed; }

  // Before the body of a message is read. Errors: QUOTA_EXCEEDED for a body over the limit,
  // INTEGRITY_FAILED for a job that is not the plugin's.
  Result<void> accepts(const EngineHeader& header) const;

  // One whole message. Gives it on when it is for the job's owner, none when it is the machine's own
  // business. Errors: BAD_FORMAT, BAD_VERSION (READY of another ABI), INTEGRITY_FAILED.
  Result<kj::Maybe<PluginMessage>> received(
      const EngineHeader& header, kj::ArrayPtr<const kj::byte> body, kj::TimePoint now);

  // When the plugin will have been silent for too long; none while it owes nothing.
  kj::Maybe<kj::TimePoint> deadline() const;

  // The daemon has not been reading until now: the silence was its own.
  void resumedReading(kj::TimePoint now) { lastHeard = now; }

 private:
  Limits limits;
  State current = State::STARTING;
  kj::TimePoint lastHeard;  // or when it began to owe
  uint64_t jobId = 0;       // of the newest job
  uint64_t unconsumed = 0;
  uint64_t nextOut = 1;
  bool outEnded = false;
  std::vector<uint64_t> sentUpto;      // by input port: the last frame sent
  std::vector<uint64_t> consumedUpto;  // by input port
  std::vector<uint64_t> cutUpto;       // by input port: the newest cut

  bool owes() const;
  void beginOwing(kj::TimePoint now);
  bool hasJob() const { return current != State::STARTING && current != State::IDLE; }
  Result<void> check(const PluginMessage& message);
  Result<void> checkReady(const ReadyMessage& ready);
  Result<void> checkOut(const OutMessage& out);
  Result<void> checkConsumed(const ConsumedMessage& consumed);
};

}  // namespace hearth::engine

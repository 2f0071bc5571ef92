#pragma once
// The consumer's end of one edge: attaches to the producer wherever it is, drops frames that it has
// already, keeps the order, and passes commits back. A producer that goes away is waited for; when
// the coordinator says that it is elsewhere, the edge goes on from the first frame that is missing.

#include "core/base/holding.h"
#include "router/run/edge-stream.h"

#include <kj/function.h>
#include <kj/timer.h>

#include <deque>

namespace hearth::router {

// Where a producer runs.
struct EdgeSource {
  EdgeIndex edge = 0;
  DeviceId device;
  StageIndex stage = 0;
  uint32_t attempt = 0;
};

// Opens edge streams to other devices, and to this one.
class EdgeDialer {
 public:
  virtual kj::Promise<kj::Own<kj::AsyncIoStream>> dial(
      const DeviceId& device, const EdgeHeader& header) = 0;
};

class EdgeReceiver final {
 public:
  // Frames that have arrived and that the stage has not taken: past it the stream is not read.
  static constexpr size_t QUEUE_FRAMES_MAX = 64;
  static constexpr kj::Duration RETRY_AFTER = 50 * kj::MILLISECONDS;

  EdgeReceiver(kj::Timer& timer, EdgeDialer& dialer, JobId job, uint32_t ownAttempt, Resume from);

  // Reads from `source` from now on.
  void follow(EdgeSource source);

  // The next frame in order. An error means that the producer broke the protocol.
  kj::Promise<Result<Frame>> next();

  // All frames up to `seq` are committed. Told again to a producer that comes later.
  void commit(uint64_t seq);

  void addTo(Holdings& holdings) const {
    holdings.push_back({"frames that wait for a stage", queue.size(), QUEUE_FRAMES_MAX});
  }

 private:
  kj::Timer& timer;
  EdgeDialer& dialer;
  JobId job;
  uint32_t ownAttempt;
  Resume position;  // what has been queued, not what has been taken
  kj::Maybe<Error> broken;
  std::deque<Frame> queue;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> wakeTaker;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> wakeReader;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> wakeCommitter;
  uint64_t commitUpto = 0;
  kj::Maybe<uint64_t> endSeq;  // of the END frame, once it is queued
  bool endTold = false;        // the producer knows that END is committed
  kj::Promise<void> reading = nullptr;

  kj::Promise<void> readFrom(EdgeSource source);
  kj::Promise<void> readStream(kj::AsyncIoStream& stream);
  kj::Promise<void> passCommits(kj::AsyncIoStream& stream);
  bool take(Result<Frame>&& frame);
  bool over() const;
};

}  // namespace hearth::router

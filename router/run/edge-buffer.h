#pragma once
// The producer's side of one edge: keeps every frame until the sink's commit has passed back over
// the edge, so that a consumer that is placed again can be fed from where it must go on.

#include "router/run/frame.h"

#include <deque>

namespace hearth::router {

class EdgeBuffer final {
 public:
  // Past either, the stage is not read from until commits come: a slow consumer slows its
  // producers down, at last the source. A source that cannot wait ends the job (LIMIT_EXCEEDED).
  static constexpr size_t FRAMES_MAX = 65'536;
  static constexpr size_t BYTES_MAX = 64 << 20;  // half an hour of 16 kHz speech

  // `next` is the number of the first frame that this producer will make.
  explicit EdgeBuffer(uint64_t next = 1): first(next) {}

  // Requires frame.seq == nextSeq(): a producer numbers without gaps.
  void push(Frame&& frame);

  bool full() const { return frames.size() >= FRAMES_MAX || bytesHeld >= BYTES_MAX; }
  uint64_t firstSeq() const { return first; }
  uint64_t nextSeq() const { return first + frames.size(); }
  size_t sizeFrames() const { return frames.size(); }
  size_t sizeBytes() const { return bytesHeld; }

  // The encoded frame, or none when it is not made yet. Requires seq >= firstSeq().
  kj::Maybe<kj::Own<SharedBytes>> at(uint64_t seq);

  // Drops all frames up to `seq`. Errors: BAD_FORMAT when a frame is committed that was never
  // made. A commit that was passed before is no error.
  Result<void> commit(uint64_t seq);

 private:
  std::deque<kj::Own<SharedBytes>> frames;
  uint64_t first;
  size_t bytesHeld = 0;
};

}  // namespace hearth::router

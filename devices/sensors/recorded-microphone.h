#pragma once
// A recording that stands in for a microphone: the source stage of a dictation. It gives 20 ms of
// audio/pcm at a time, each frame when it would have been recorded, then END.

#include "devices/sensors/wav.h"
#include "router/run/stage-body.h"

#include <kj/timer.h>

namespace hearth::devices {

class RecordedMicrophone final: public router::StageBody {
 public:
  static constexpr size_t FRAME_SAMPLES = Recording::RATE / 50;
  static constexpr kj::Duration FRAME_TIME = 20 * kj::MILLISECONDS;

  enum class Pace { REAL_TIME, AS_FAST_AS_READ };

  // `timer` outlives the microphone. Time begins with the first read().
  RecordedMicrophone(kj::Timer& timer, Recording recording, Pace pace = Pace::REAL_TIME);

  // When the first sample was "recorded"; none before the first read().
  kj::Maybe<kj::TimePoint> startedAt() const { return started; }

  // A source has no input. Errors: BAD_FORMAT.
  kj::Promise<Result<void>> write(size_t port, const router::Frame& frame) override;

  // Frame n is due n * FRAME_TIME after the start, whatever became of the ones before: a reader that
  // is late catches up and nothing drifts. END is due with the last frame; after it, never again.
  kj::Promise<Result<Output>> read() override;

 private:
  kj::Timer& timer;
  Recording recording;
  Pace pace;
  kj::Maybe<kj::TimePoint> started;
  size_t next = 0;  // first sample of the next frame
  bool ended = false;

  Output frame();
};

}  // namespace hearth::devices

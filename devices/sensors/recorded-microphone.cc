#include "devices/sensors/recorded-microphone.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::devices {

RecordedMicrophone::RecordedMicrophone(kj::Timer& timer, Recording recording, Pace pace)
    : timer(timer),
      recording(kj::mv(recording)),
      pace(pace) {}

kj::Promise<Result<void>> RecordedMicrophone::write(size_t, const router::Frame&) {
  return Result<void>(no(Errc::BAD_FORMAT, "a microphone takes no input"));
}

kj::Promise<Result<router::StageBody::Output>> RecordedMicrophone::read() {
  if (started == nullptr) started = timer.now();
  if (ended) return kj::NEVER_DONE;
  auto end = std::min(next + FRAME_SAMPLES, recording.samples.size());
  if (pace == Pace::AS_FAST_AS_READ) return Result<Output>(frame());
  auto due = KJ_ASSERT_NONNULL(started) + end * FRAME_TIME / FRAME_SAMPLES;
  if (timer.now() >= due) return Result<Output>(frame());
  return timer.atTime(due).then([this]() { return Result<Output>(frame()); });
}

router::StageBody::Output RecordedMicrophone::frame() {
  auto end = std::min(next + FRAME_SAMPLES, recording.samples.size());
  Output out;
  out.ptsUs = end * uint64_t{1'000'000} / Recording::RATE;
  if (next == end) {
    ended = true;
    out.flags = router::Frame::END;
    return out;
  }
  out.payload = kj::heapArray(recording.samples.slice(next, end).asBytes());
  next = end;
  return out;
}

}  // namespace hearth::devices

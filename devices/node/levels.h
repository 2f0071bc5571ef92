#pragma once
// How loud it is at the microphone of a job, ten times a second, for whoever speaks: so that people see
// that they are heard before the first word is there. A level of a moment ago is worth nothing and must not
// hold up words, so it goes in frames with deadlines, beside the job's edges and not over them:
//
//   a stream of the live lane, opened by the job's coordinator     u8 5 | b[16] job | u8 stage
//   each frame, from the microphone's device                       u8 decibels below full scale, 0..96

#include "router/run/stage-body.h"
#include "transport/link/links.h"

#include <kj/function.h>

#include <map>

namespace hearth::devices {

// First byte of a lane stream's header: what the stream is for.
constexpr kj::byte STREAM_KIND_LEVELS = 5;

struct Level {
  uint8_t dBBelowFull;
  uint64_t skipped;  // levels that were not worth sending or showing any more, since the one before
};

// Of 16-bit samples, by their mean power; silence is the most.
constexpr uint8_t SILENCE_DB = 96;
uint8_t levelOf(kj::ArrayPtr<const int16_t> samples);

class Levels final {
 public:
  static constexpr size_t SAMPLES_EACH = 1'600;                  // 100 ms
  static constexpr kj::Duration WORTH = 200 * kj::MILLISECONDS;  // of a level, to eyes

  // `links` outlives it, and it outlives the bodies that it has made.
  Levels(const DeviceId& self, transport::Links& links): self(self), links(links) {}
  KJ_DISALLOW_COPY_AND_MOVE(Levels);

  // The body of a microphone, with a meter.
  kj::Own<router::StageBody> metered(
      const router::StageSpec& spec, kj::Own<router::StageBody> microphone);

  // A peer has opened a stream with this header. One that asks for what is not here is dropped, and so is
  // one by anybody but the job's coordinator: how loud it is in a room is nobody else's business. Of several
  // the newest is told.
  void accept(
      const DeviceId& peer, kj::ArrayPtr<const kj::byte> header, kj::Own<kj::AsyncIoStream> stream);

  // Shows what the microphone of a job hears, until the promise is dropped, the link ends or the
  // microphone does. `show` outlives the promise.
  using Show = kj::Function<void(Level)>;
  kj::Promise<void> follow(
      const DeviceId& device, const JobId& job, router::StageIndex stage, Show& show);

 private:
  class Meter;
  using Key = std::pair<JobId, router::StageIndex>;
  DeviceId self;
  transport::Links& links;
  std::map<Key, Meter*> meters;  // the newest of each

  kj::Promise<void> followHere(Key key, Show& show);
};

}  // namespace hearth::devices

#pragma once
// Any WAV file as what audio/pcm is: 16 kHz, one channel, 16 bits. Channels are averaged, other
// rates resampled. The bytes are hostile: a caller hands over what a person named.

#include "core/base/result.h"

#include <kj/filesystem.h>

namespace hearth::devices {

struct Recording {
  static constexpr uint32_t RATE = 16'000;  // samples per second
  static constexpr size_t FILE_BYTES_MAX = 512 << 20;
  static constexpr size_t SAMPLES_MAX = size_t{RATE} * 4 * 3'600;  // 4 h
  static constexpr int CHANNELS_MAX = 16;
  static constexpr int RATE_MIN = 4'000, RATE_MAX = 384'000;  // of the file

  kj::Array<const int16_t> samples;

  uint64_t durationUs() const { return samples.size() * uint64_t{1'000'000} / RATE; }
};

// Errors, each with a line for people: BAD_LENGTH (empty, truncated), BAD_FORMAT (not a WAV, an
// encoding that cannot be read), LIMIT_EXCEEDED (too large, too long, too many channels, a rate out
// of range).
Result<Recording> readWav(kj::ArrayPtr<const kj::byte> file);

// Errors: as readWav(); a file past the limit is refused before it is read.
Result<Recording> readWav(const kj::ReadableFile& file);

}  // namespace hearth::devices

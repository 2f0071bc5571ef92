#pragma once
// What the mains of the C++ plugins share: samples out of frames, and no exception into C.

#include "plugins/host/hearth-plugin.h"

#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <vector>

namespace hearth {

// The samples of an audio/pcm frame; none when half a sample hangs over. The machine is
// little-endian, as the payload is.
inline std::optional<std::vector<int16_t>> samplesOf(const hearth_frame& frame) {
  if (frame.size % sizeof(int16_t) != 0) return std::nullopt;
  std::vector<int16_t> samples(frame.size / sizeof(int16_t));
  if (frame.size > 0) memcpy(samples.data(), frame.data, frame.size);
  return samples;
}

// Runs `body`, which answers an error code. What it throws is written to the plugin's log.
template <typename Body>
int guarded(Body&& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return HEARTH_QUOTA_EXCEEDED;
  } catch (const std::exception& error) {
    fprintf(stderr, "%s\n", error.what());
    return HEARTH_INTEGRITY_FAILED;
  }
}

}  // namespace hearth

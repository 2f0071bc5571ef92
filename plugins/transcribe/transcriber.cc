#include "plugins/transcribe/transcriber.h"

#include <utility>

namespace hearth::transcribe {

std::expected<std::vector<Output>, Refusal> Transcriber::hear(const Input& input) {
  if (input.samples.size() > SEGMENT_SAMPLES_MAX - segment.size()) {
    return std::unexpected(Refusal::SEGMENT_TOO_LONG);
  }
  segment.insert(segment.end(), input.samples.begin(), input.samples.end());
  segmentFlags |= input.flags & CONTINUES;

  std::vector<Output> out;
  bool ends = input.flags & END;
  if ((input.flags & SEGMENT_END) || (ends && !segment.empty())) {
    out.push_back(finishSegment(input));
  } else if (segment.empty() && !ends) {
    out.push_back({.text = {}, .ptsUs = input.ptsUs, .cutAt = input.seq});
  }
  if (ends) out.push_back({.text = {}, .flags = END, .ptsUs = input.ptsUs, .cutAt = input.seq});
  return out;
}

// The text of a segment that only the stream's end has closed carries no cut: END follows it.
Output Transcriber::finishSegment(const Input& last) {
  auto samples = std::exchange(segment, {});
  auto flags = static_cast<uint8_t>(
      std::exchange(segmentFlags, 0) | SEGMENT_END | (last.flags & UNFINISHED));
  bool audible = samples.size() >= SEGMENT_SAMPLES_MIN;
  return {.text = audible ? recogniser.recognise(samples) : std::string(),
      .flags = flags,
      .ptsUs = last.ptsUs,
      .cutAt = last.flags & END ? 0 : last.seq};
}

}  // namespace hearth::transcribe

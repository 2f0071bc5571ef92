#pragma once
// Turns segments of speech into text, one frame of text for each. A segment is heard whole before
// it is decoded, and always from the same start state, so that its text depends on its audio alone
// and a device that takes over writes the same words.

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

namespace hearth::transcribe {

// The numbers of a job's frames (docs/PROTOCOL.md, "Job edges").
enum Flag : uint8_t { END = 1, SEGMENT_END = 2, CONTINUES = 4, UNFINISHED = 8 };

constexpr size_t SAMPLES_PER_SECOND = 16'000;

// Words for audio: lower case, single spaces, no fillers; empty when nothing was recognised.
// Promise: the same samples give the same words, whatever was recognised before.
class Recogniser {
 public:
  virtual ~Recogniser() = default;
  virtual std::string recognise(std::span<const int16_t> samples) = 0;
};

struct Input {
  uint64_t seq = 0;
  uint8_t flags = 0;
  uint64_t ptsUs = 0;
  std::span<const int16_t> samples;
};

// A frame of text, empty for progress. `cutAt`: what comes after it follows from the input behind
// this number alone; zero when it does not.
struct Output {
  std::string text;
  uint8_t flags = 0;
  uint64_t ptsUs = 0;
  uint64_t cutAt = 0;

  bool operator==(const Output&) const = default;
};

enum class Refusal { SEGMENT_TOO_LONG };

class Transcriber final {
 public:
  static constexpr size_t SEGMENT_SAMPLES_MAX = 30 * SAMPLES_PER_SECOND;
  static constexpr size_t SEGMENT_SAMPLES_MIN = SAMPLES_PER_SECOND / 10;  // less holds no word

  explicit Transcriber(Recogniser& recogniser): recogniser(recogniser) {}

  // Takes one frame; decodes when it ends a segment. Errors: SEGMENT_TOO_LONG, the job is to fail.
  std::expected<std::vector<Output>, Refusal> hear(const Input& input);

 private:
  Recogniser& recogniser;
  std::vector<int16_t> segment;
  uint8_t segmentFlags = 0;

  Output finishSegment(const Input& last);
};

}  // namespace hearth::transcribe

#pragma once
// Cuts a stream of 16 kHz audio into segments of speech, at pauses where there are any.
//
// All decisions between two cuts are functions of the samples since the cut: at each cut the model
// is reset and what is held is heard again, so an instance that starts at a cut goes on exactly as
// the one before, sample by sample, however the audio is divided into frames.
//
//   cut            start                speech end        cut
//    |  silence      | lead-in | speech ... |  pause ...   |
//    `-- not sent ---'--------- chunks ---------- pad -'   `-- held, heard again

#include <cstdint>
#include <deque>
#include <expected>
#include <optional>
#include <span>
#include <vector>

namespace hearth::vad {

// The numbers of a job's frames (docs/PROTOCOL.md, "Job edges").
enum Flag : uint8_t { END = 1, SEGMENT_END = 2, CONTINUES = 4, UNFINISHED = 8 };

constexpr size_t WINDOW = 512;  // samples; 32 ms
constexpr size_t SAMPLES_PER_SECOND = 16'000;

// How likely it is that a window holds speech. Two implementations: Silero, and scripts in tests.
// Promise: the answer depends on the windows since reset() and on nothing else.
class SpeechModel {
 public:
  virtual ~SpeechModel() = default;
  virtual void reset() = 0;
  virtual float probability(std::span<const int16_t, WINDOW> samples) = 0;
};

// Where an instance begins: behind a cut made by another one.
struct State {
  bool continues = false;  // the cut was forced: speech goes on at once
  uint32_t skip = 0;       // samples of the next frames that were consumed before the cut

  bool operator==(const State&) const = default;
};

// u8 version=1 | u8 bit 0 continues | u32 skip, little-endian; nothing at all is a fresh start.
constexpr size_t STATE_BYTES = 6;
std::vector<uint8_t> encode(const State& state);
std::optional<State> decodeState(std::span<const uint8_t> bytes);  // none: not a state

struct Input {
  uint64_t seq = 0;
  uint64_t ptsUs = 0;  // media time at the frame's end
  std::span<const int16_t> samples;
};

struct Cut {
  uint64_t inUpto = 0;
  State state;

  bool operator==(const Cut&) const = default;
};

// Speech to pass on, or nothing but a cut: progress through silence.
struct Output {
  std::vector<int16_t> samples;
  uint8_t flags = 0;
  uint64_t ptsUs = 0;  // end of the samples; of a segment's last chunk, end of its speech
  std::optional<Cut> cut;

  bool operator==(const Output&) const = default;
};

class Segmenter final {
 public:
  static constexpr size_t FRAME_SAMPLES_MAX = 1 << 20;
  static constexpr size_t SEGMENT_MAX = 250 * WINDOW;  // 8 s
  static constexpr size_t HOLD_FROM = 190 * WINDOW;    // later audio waits: the cut may lie there
  static constexpr size_t CHUNK = 10 * WINDOW;         // 320 ms
  static constexpr size_t LEAD_IN = 9 * WINDOW;        // audio before the first speech window
  static constexpr size_t PAD = 3 * WINDOW;            // audio behind the last one
  static constexpr size_t PROGRESS = 31 * WINDOW;      // silence between two cuts, 1 s
  static constexpr size_t SILENCE_MAX = 125 * WINDOW;  // held at most while nothing is certain
  static constexpr size_t VOICED_MIN = 3;              // windows; less is a click

  Segmenter(SpeechModel& model, const State& start);

  // Hears one frame. Outputs in the order in which they are to be emitted.
  // Requires at most FRAME_SAMPLES_MAX samples.
  std::vector<Output> hear(const Input& input);

  // The stream has ended with frame `seq`: what is left is cut, then comes END.
  std::vector<Output> finish(uint64_t seq);

 private:
  struct Arrived {
    uint64_t seq;
    int64_t end;  // in samples from the cut
    uint64_t ptsUs;
  };
  struct Speech {
    size_t start;  // with the lead-in, in samples from the cut
    size_t end;    // behind the last window with speech
    size_t sent;   // chunks have gone out up to here
    size_t voiced = 0;
  };

  SpeechModel& model;
  bool continues;               // the next chunk begins a segment that continues the one before
  size_t skip;                  // samples yet to come that lie before the cut
  uint64_t upto = 0;            // the last frame that lies before the cut as a whole
  int64_t uptoEnd;              // where it ends, in samples from the cut: zero or less
  std::vector<int16_t> held;    // all samples since the cut
  std::deque<Arrived> arrived;  // the frames that they came in
  std::vector<float> heard;     // probability of each window since the cut
  std::optional<Speech> speech;

  void advance(std::vector<Output>& out);
  void quiet(std::vector<Output>& out);
  void talking(std::vector<Output>& out);
  void begin(size_t at);
  void finishSegment(std::vector<Output>& out);
  void force(std::vector<Output>& out);
  Output chunk(size_t to);
  void cut(Output&& last, size_t at, bool forced, std::vector<Output>& out);

  size_t now() const { return heard.size() * WINDOW; }
  bool confirmed() const;
  size_t pauseNeeded() const;
  size_t quietestSample(size_t from, size_t to) const;
  uint64_t ptsUs(size_t sample) const;
};

}  // namespace hearth::vad

#include "plugins/vad/segmenter.h"

#include <algorithm>

namespace hearth::vad {

namespace {

constexpr uint8_t STATE_VERSION = 1;
constexpr uint8_t STATE_CONTINUES = 1;

constexpr float SPEECH_BEGINS = 0.5f;
constexpr float SPEECH_GOES_ON = 0.35f;

constexpr size_t PAUSE_LONG = 10 * WINDOW;     // ends a segment of any length
constexpr size_t PAUSE_SHORT = 4 * WINDOW;     // ends one that is nearly full
constexpr size_t PATIENT_UNTIL = 94 * WINDOW;  // 3 s; from here on, shorter pauses will do
constexpr size_t FORCED_REST = 6 * WINDOW;     // speech that must lie behind a forced cut

constexpr size_t ENERGY_SPAN = 640;  // 40 ms
constexpr size_t ENERGY_STEP = 160;

uint64_t energy(std::span<const int16_t> samples) {
  uint64_t sum = 0;
  for (int64_t sample: samples) sum += static_cast<uint64_t>(sample * sample);
  return sum;
}

}  // namespace

std::vector<uint8_t> encode(const State& state) {
  std::vector<uint8_t> bytes{STATE_VERSION, state.continues ? STATE_CONTINUES : uint8_t{0}};
  for (int shift = 0; shift < 32; shift += 8) {
    bytes.push_back(static_cast<uint8_t>(state.skip >> shift));
  }
  return bytes;
}

std::optional<State> decodeState(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return State();
  if (bytes.size() != STATE_BYTES || bytes[0] != STATE_VERSION || bytes[1] > STATE_CONTINUES) {
    return std::nullopt;
  }
  State state{.continues = bytes[1] == STATE_CONTINUES};
  for (int i = 0; i < 4; i++) state.skip |= static_cast<uint32_t>(bytes[2 + i]) << (8 * i);
  return state;
}

Segmenter::Segmenter(SpeechModel& model, const State& start)
    : model(model),
      continues(start.continues),
      skip(start.skip),
      uptoEnd(-int64_t{start.skip}) {
  model.reset();
  if (continues) begin(0);
}

std::vector<Output> Segmenter::hear(const Input& input) {
  if (arrived.empty() && upto == 0) upto = input.seq - 1;
  auto skipped = std::min(skip, input.samples.size());
  skip -= skipped;
  held.insert(held.end(), input.samples.begin() + skipped, input.samples.end());
  arrived.push_back(
      {input.seq, static_cast<int64_t>(held.size()) - static_cast<int64_t>(skip), input.ptsUs});
  std::vector<Output> out;
  advance(out);
  return out;
}

std::vector<Output> Segmenter::finish(uint64_t seq) {
  uint64_t endUs = arrived.empty() ? 0 : arrived.back().ptsUs;
  std::vector<Output> out;
  while (speech && confirmed() && !held.empty()) {
    if (speech->end == now()) speech->end = held.size();
    finishSegment(out);
    advance(out);
  }
  out.push_back({.flags = END, .ptsUs = endUs, .cut = Cut{seq, {}}});
  return out;
}

// Each window is judged once; a cut forgets the judgements and the loop goes on with what is held.
void Segmenter::advance(std::vector<Output>& out) {
  while (held.size() - now() >= WINDOW) {
    std::span<const int16_t, WINDOW> window(held.data() + now(), WINDOW);
    heard.push_back(model.probability(window));
    if (!speech && heard.back() >= SPEECH_BEGINS) begin(now() - WINDOW);
    if (speech) {
      talking(out);
    } else {
      quiet(out);
    }
  }
}

void Segmenter::begin(size_t at) {
  auto start = at - std::min(at, LEAD_IN);
  speech = Speech{.start = start, .end = at, .sent = start};
}

void Segmenter::quiet(std::vector<Output>& out) {
  if (now() < PROGRESS + LEAD_IN) return;
  bool certain = std::all_of(
      heard.end() - LEAD_IN / WINDOW, heard.end(), [](float p) { return p < SPEECH_GOES_ON; });
  if (!certain && now() < SILENCE_MAX) return;
  auto at = now() - LEAD_IN;
  cut({.ptsUs = ptsUs(at)}, at, false, out);
}

void Segmenter::talking(std::vector<Output>& out) {
  if (heard.back() >= SPEECH_GOES_ON) speech->end = now();
  if (heard.back() >= SPEECH_BEGINS) speech->voiced++;
  if (now() - speech->end >= pauseNeeded()) {
    if (confirmed()) {
      finishSegment(out);
    } else {
      speech.reset();
    }
  } else if (now() - speech->start >= SEGMENT_MAX) {
    force(out);
  } else if (confirmed() && speech->end == now()) {
    auto ready = std::min(now(), speech->start + HOLD_FROM);
    if (ready >= speech->sent + CHUNK) out.push_back(chunk(ready));
  }
}

// A segment that continues another one is speech by birth: its first word began before the cut.
bool Segmenter::confirmed() const {
  return speech->voiced >= VOICED_MIN || continues || speech->sent > speech->start;
}

// The longer a segment has become, the shorter a pause ends it: from 320 ms down to 128 ms.
size_t Segmenter::pauseNeeded() const {
  auto length = now() - speech->start;
  if (length <= PATIENT_UNTIL) return PAUSE_LONG;
  if (length >= HOLD_FROM) return PAUSE_SHORT;
  auto impatience =
      (length - PATIENT_UNTIL) * (PAUSE_LONG - PAUSE_SHORT) / (HOLD_FROM - PATIENT_UNTIL);
  return PAUSE_LONG - impatience;
}

void Segmenter::finishSegment(std::vector<Output>& out) {
  auto at = std::min(speech->end + PAD, held.size());
  auto last = chunk(at);
  last.flags |= SEGMENT_END;
  last.ptsUs = ptsUs(speech->end);
  cut(std::move(last), at, false, out);
}

// No pause in eight seconds: the cut lies where the voice is weakest in what was held back. The
// model's probability does not tell: it stays at 1.00 through speech like this.
void Segmenter::force(std::vector<Output>& out) {
  auto at = quietestSample(speech->start + HOLD_FROM, now() - FORCED_REST);
  auto last = chunk(at);
  last.flags |= SEGMENT_END | UNFINISHED;
  cut(std::move(last), at, true, out);
}

size_t Segmenter::quietestSample(size_t from, size_t to) const {
  size_t best = from;
  uint64_t least = UINT64_MAX;
  for (auto at = from; at < to; at += ENERGY_STEP) {
    auto around = energy(std::span(held).subspan(at - ENERGY_SPAN / 2, ENERGY_SPAN));
    if (around < least) {
      least = around;
      best = at;
    }
  }
  return best;
}

Output Segmenter::chunk(size_t to) {
  Output out{.samples = {held.begin() + speech->sent, held.begin() + to}, .ptsUs = ptsUs(to)};
  if (continues) out.flags |= CONTINUES;
  continues = false;
  speech->sent = to;
  return out;
}

void Segmenter::cut(Output&& last, size_t at, bool forced, std::vector<Output>& out) {
  auto passed = static_cast<int64_t>(at);
  for (; !arrived.empty() && arrived.front().end <= passed; arrived.pop_front()) {
    upto = arrived.front().seq;
    uptoEnd = arrived.front().end;
  }
  uptoEnd -= passed;
  for (auto& frame: arrived) frame.end -= passed;
  held.erase(held.begin(), held.begin() + passed);
  heard.clear();
  speech.reset();
  model.reset();
  continues = forced;
  if (continues) begin(0);
  last.cut = Cut{upto, {forced, static_cast<uint32_t>(-uptoEnd)}};
  out.push_back(std::move(last));
}

uint64_t Segmenter::ptsUs(size_t sample) const {
  auto frame = std::find_if(arrived.begin(), arrived.end(),
      [&](const Arrived& one) { return one.end >= static_cast<int64_t>(sample); });
  auto before = static_cast<uint64_t>(frame->end) - sample;
  auto beforeUs = before * 1'000'000 / SAMPLES_PER_SECOND;
  return frame->ptsUs - std::min(frame->ptsUs, beforeUs);
}

}  // namespace hearth::vad

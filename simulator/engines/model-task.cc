#include "simulator/engines/model-task.h"

#include "simulator/engines/speech.h"

#include <kj/debug.h>

#include <cstring>

namespace hearth::sim {

namespace {

using engine::EngineCut;
using engine::EngineFrame;
using Output = engine::Engine::Output;

constexpr double FRAME_SECONDS = 0.02;

std::vector<int16_t> samplesOf(const EngineFrame& frame) {
  std::vector<int16_t> samples(frame.payload.size() / sizeof(int16_t));
  if (!samples.empty())
    memcpy(samples.data(), frame.payload.begin(), samples.size() * sizeof(int16_t));
  return samples;
}

kj::Array<const kj::byte> bytesOf(const std::vector<int16_t>& samples) {
  return kj::heapArray(kj::arrayPtr(
      reinterpret_cast<const kj::byte*>(samples.data()), samples.size() * sizeof(int16_t)));
}

Output output(uint8_t flags, const EngineFrame& in, kj::Array<const kj::byte> payload, bool cut) {
  Output out{.frame = {.flags = flags, .ptsUs = in.ptsUs, .payload = kj::mv(payload)}};
  if (cut) out.cut = EngineCut{{in.seq}, {}};
  return out;
}

// Speech goes out in chunks; a pause ends the segment.
class Vad final: public ModelTask {
 public:
  static constexpr size_t CHUNK_FRAMES = 16;
  static constexpr size_t PAUSE_FRAMES = 10;
  static constexpr size_t PROGRESS_FRAMES = 50;

  Step take(const EngineFrame& frame) override {
    Step step;
    step.units = FRAME_SECONDS;
    auto samples = samplesOf(frame);
    bool silent = samples.empty() || samples.front() == 0;
    bool ends = frame.flags & ENGINE_FLAG_END;
    if (!silent) {
      speaking = true;
      quiet = 0;
      held.insert(held.end(), samples.begin(), samples.end());
      if (++heldFrames == CHUNK_FRAMES) step.outputs.push_back(output(0, frame, flush(), false));
    } else {
      ++quiet;
    }
    if (speaking && (quiet == PAUSE_FRAMES || ends)) {
      step.outputs.push_back(output(ENGINE_FLAG_SEGMENT_END, frame, flush(), !ends));
      speaking = false;
      quiet = 0;
    }
    if (!speaking && !ends && quiet == PROGRESS_FRAMES) {
      step.outputs.push_back(output(0, frame, nullptr, true));
      quiet = 0;
    }
    if (ends) step.outputs.push_back(output(ENGINE_FLAG_END, frame, nullptr, true));
    return step;
  }

 private:
  bool speaking = false;
  size_t quiet = 0, heldFrames = 0;
  std::vector<int16_t> held;

  kj::Array<const kj::byte> flush() {
    auto bytes = bytesOf(held);
    held.clear();
    heldFrames = 0;
    return bytes;
  }
};

// Words of a segment, when it has ended.
class Transcribe final: public ModelTask {
 public:
  Step take(const EngineFrame& frame) override {
    Step step;
    auto samples = samplesOf(frame);
    segment.insert(segment.end(), samples.begin(), samples.end());
    bool ends = frame.flags & ENGINE_FLAG_END;
    if (frame.flags & ENGINE_FLAG_SEGMENT_END || (ends && !segment.empty())) {
      step.units = static_cast<double>(segment.size()) / devices::Recording::RATE;
      auto text = words();
      step.outputs.push_back(output(ENGINE_FLAG_SEGMENT_END, frame,
          kj::heapArray<const kj::byte>(kj::StringPtr(text.c_str()).asBytes()), !ends));
      segment.clear();
    } else if (segment.empty() && !ends) {
      step.outputs.push_back(output(0, frame, nullptr, true));
    }
    if (ends) step.outputs.push_back(output(ENGINE_FLAG_END, frame, nullptr, true));
    return step;
  }

 private:
  std::vector<int16_t> segment;

  std::string words() const {
    constexpr auto WORD_SAMPLES = Speech::WORD_FRAMES * Speech::FRAME_SAMPLES;
    std::string text;
    for (size_t begin = 0; begin < segment.size();) {
      auto end = begin;
      while (end < segment.size() && segment[end] == segment[begin]) ++end;
      // A piece of a word is no word: whoever lost or doubled samples shall be found out.
      bool whole = end - begin == WORD_SAMPLES;
      text += (text.empty() ? "" : " ") + Speech::word(segment[begin]) + (whole ? "" : "?");
      begin = end;
    }
    return text;
  }
};

// Its state says how many frames it has had, as a formatter's says whether a sentence is open.
class Format final: public ModelTask {
 public:
  Format(uint64_t next, const std::vector<kj::byte>& state): had(countIn(state)) {
    goesOn = had + 1 == next;
  }

  Step take(const EngineFrame& frame) override {
    Step step;
    step.units = static_cast<double>(frame.payload.size());
    auto text =
        kj::str(frame.payload.asChars(), goesOn ? "" : "?", frame.payload.size() > 0 ? " " : "");
    step.outputs.push_back(
        output(frame.flags, frame, kj::heapArray<const kj::byte>(text.asBytes()), true));
    ++had;
    auto& state = KJ_ASSERT_NONNULL(step.outputs.back().cut).state;
    state.resize(sizeof(had));
    memcpy(state.data(), &had, sizeof(had));
    return step;
  }

 private:
  uint64_t had;
  bool goesOn;

  static uint64_t countIn(const std::vector<kj::byte>& state) {
    uint64_t count = 0;
    if (state.size() == sizeof(count)) memcpy(&count, state.data(), sizeof(count));
    return count;
  }
};

}  // namespace

kj::Maybe<kj::Own<ModelTask>> ModelTask::make(
    const std::string& task, uint64_t next, const std::vector<kj::byte>& state) {
  if (task == "audio.vad") return kj::Own<ModelTask>(kj::heap<Vad>());
  if (task == "audio.transcribe") return kj::Own<ModelTask>(kj::heap<Transcribe>());
  if (task == "text.format") return kj::Own<ModelTask>(kj::heap<Format>(next, state));
  return nullptr;
}

}  // namespace hearth::sim

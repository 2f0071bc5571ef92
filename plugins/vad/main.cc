// audio.vad: audio/pcm in, audio/pcm out, cut into segments of speech (segmenter.h).

#include "plugins/common.h"
#include "plugins/vad/silero.h"

using namespace hearth;
using namespace hearth::vad;

namespace {

// Both by their paths in the bundle.
constexpr const char* LIBRARY = "/lib/libonnxruntime.so";
constexpr const char* MODEL = "/models/silero.onnx";

std::unique_ptr<Silero> silero;

struct Job {
  hearth_job* handle;
  Segmenter segmenter;
};

int emit(hearth_job* job, const Output& out) {
  hearth_frame frame{.port = 0,
      .flags = out.flags,
      .seq = 0,
      .pts_us = out.ptsUs,
      .data = reinterpret_cast<const uint8_t*>(out.samples.data()),
      .size = out.samples.size() * sizeof(int16_t)};
  if (!out.cut) return hearth_emit(job, &frame, nullptr);
  auto state = out.flags & END ? std::vector<uint8_t>() : encode(out.cut->state);
  hearth_cut cut{&out.cut->inUpto, 1, state.data(), state.size()};
  return hearth_emit(job, &frame, &cut);
}

int load() {
  return guarded([] {
    silero = std::make_unique<Silero>(LIBRARY, MODEL);
    silero->reset();
    std::vector<int16_t> silence(WINDOW);
    silero->probability(std::span<const int16_t, WINDOW>(silence));  // what is lazy happens now
    return 0;
  });
}

void* open(hearth_job* handle, const char*, const char*, const uint8_t* state, size_t size) {
  Job* job = nullptr;
  guarded([&] {
    auto start = decodeState({state, size});
    if (start) job = new Job{handle, Segmenter(*silero, *start)};
    return 0;
  });
  return job;
}

int process(void* self, const hearth_frame* in) {
  return guarded([&]() -> int {
    auto& job = *static_cast<Job*>(self);
    auto samples = samplesOf(*in);
    if (!samples) return HEARTH_BAD_LENGTH;
    if (samples->size() > Segmenter::FRAME_SAMPLES_MAX) return HEARTH_LIMIT_EXCEEDED;
    auto outputs = in->flags & END ? job.segmenter.finish(in->seq)
                                   : job.segmenter.hear({in->seq, in->pts_us, *samples});
    for (auto& output: outputs) {
      if (int errc = emit(job.handle, output)) return errc;
    }
    return 0;
  });
}

void close(void* self) { delete static_cast<Job*>(self); }

}  // namespace

int main() {
  const hearth_plugin plugin{"audio.vad", load, open, process, close};
  return hearth_plugin_main(&plugin);
}

// audio.transcribe: segments of audio/pcm in, one frame of text out for each (transcriber.h).

#include "plugins/common.h"
#include "plugins/transcribe/sphinx.h"

using namespace hearth;
using namespace hearth::transcribe;

namespace {

constexpr const char* MODEL = "/models";  // in the bundle

std::unique_ptr<Sphinx> sphinx;

struct Job {
  hearth_job* handle;
  Transcriber transcriber;
};

int emit(hearth_job* job, const Output& out) {
  hearth_frame frame{.port = 0,
      .flags = out.flags,
      .seq = 0,
      .pts_us = out.ptsUs,
      .data = reinterpret_cast<const uint8_t*>(out.text.data()),
      .size = out.text.size()};
  hearth_cut cut{&out.cutAt, 1, nullptr, 0};
  return hearth_emit(job, &frame, out.cutAt > 0 ? &cut : nullptr);
}

int load() {
  return guarded([] {
    sphinx = std::make_unique<Sphinx>(MODEL);
    return 0;
  });
}

void* open(hearth_job* handle, const char*, const char*, const uint8_t*, size_t stateSize) {
  Job* job = nullptr;
  guarded([&] {
    if (stateSize == 0) job = new Job{handle, Transcriber(*sphinx)};
    return 0;
  });
  return job;
}

int process(void* self, const hearth_frame* in) {
  return guarded([&]() -> int {
    auto& job = *static_cast<Job*>(self);
    auto samples = samplesOf(*in);
    if (!samples) return HEARTH_BAD_LENGTH;
    auto outputs = job.transcriber.hear({in->seq, in->flags, in->pts_us, *samples});
    if (!outputs) return HEARTH_LIMIT_EXCEEDED;
    for (auto& output: *outputs) {
      if (int errc = emit(job.handle, output)) return errc;
    }
    return 0;
  });
}

void close(void* self) { delete static_cast<Job*>(self); }

}  // namespace

int main() {
  const hearth_plugin plugin{"audio.transcribe", load, open, process, close};
  return hearth_plugin_main(&plugin);
}

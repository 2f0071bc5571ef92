// text.format: raw words in, text out, frame by frame (formatter.h). Every frame can be cut behind.

#include "plugins/common.h"
#include "plugins/format/formatter.h"

#include <string>

using namespace hearth;
using namespace hearth::format;

namespace {

struct Job {
  hearth_job* handle;
};

void* open(hearth_job* handle, const char*, const char*, const uint8_t*, size_t stateSize) {
  return stateSize == 0 ? new Job{handle} : nullptr;
}

int process(void* self, const hearth_frame* in) {
  return guarded([&]() -> int {
    Segment segment{.words = {reinterpret_cast<const char*>(in->data), in->size},
        .continues = (in->flags & HEARTH_CONTINUES) != 0,
        .unfinished = (in->flags & HEARTH_UNFINISHED) != 0};
    auto text = format::format(segment);
    if (!text) return text.error() == Refusal::TOO_LONG ? HEARTH_LIMIT_EXCEEDED : HEARTH_BAD_FORMAT;
    hearth_frame out = *in;
    out.port = 0;
    out.data = reinterpret_cast<const uint8_t*>(text->data());
    out.size = text->size();
    hearth_cut cut{&in->seq, 1, nullptr, 0};
    return hearth_emit(static_cast<Job*>(self)->handle, &out, &cut);
  });
}

void close(void* self) { delete static_cast<Job*>(self); }

}  // namespace

int main() {
  const hearth_plugin plugin{"text.format", nullptr, open, process, close};
  return hearth_plugin_main(&plugin);
}

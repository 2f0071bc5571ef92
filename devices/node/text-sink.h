#pragma once
// The sink of a job whose app sits at this device's local API: each text frame becomes one piece,
// and is committed when the app has returned from it.

#include "router/run/stage-body.h"

#include <kj/function.h>

namespace hearth::devices {

struct TextPiece {
  uint64_t seq;  // 1, 2, 3 ... of pieces, not of frames
  kj::String text;
  uint64_t ptsUs;
};

// `deliver` resolves when the app has the piece for good.
using DeliverText = kj::Function<kj::Promise<void>(TextPiece)>;

kj::Own<router::PreparedStage> textSink(DeliverText deliver);

}  // namespace hearth::devices

#pragma once
// The handshake patterns of the Noise specification that Hearth itself does not speak, so that the
// published vectors can test the machine it does speak with.

#include "crypto/handshake/pattern.h"

namespace hearth::vectors {

// "IKpsk2" and so on: a fundamental or deferred pattern (Noise rev 34 §7) and psk modifiers (§9.4).
// Absent when the name is not known.
kj::Maybe<crypto::Pattern> classicalPattern(kj::StringPtr name);

}  // namespace hearth::vectors

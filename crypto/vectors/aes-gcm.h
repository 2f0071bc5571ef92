#pragma once
// AES-256-GCM as Noise's AESGCM (rev 34 §12.4), for replaying published vectors. It is a library of
// its own, hearth-crypto-vectors, that no shipping program links: the product never uses AES-GCM.

#include "crypto/handshake/noise-cipher.h"

namespace hearth::crypto {

const NoiseCipher& aesGcm();

}  // namespace hearth::crypto

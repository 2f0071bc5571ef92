#pragma once
// The short authentication string that two people compare, on two screens: seven pictures, or seven
// digits where a screen is too small for them. B commits to its contribution before it sees A's, so
// that an attacker in the middle cannot search for strings that match.

#include "crypto/handshake/session.h"
#include "crypto/identity/bundle.h"
#include "crypto/pairing/payloads.h"

namespace hearth::crypto {

constexpr size_t SAS_PICTURES = 7;

struct Picture {
  kj::StringPtr name;
  uint32_t codePoint;
};

struct Sas {
  Digest value;

  kj::Array<Picture> pictures() const;  // SAS_PICTURES of them
  kj::String digits() const;            // "NNN NNNN"
};

// What B sends before it knows Ni.
Digest sasCommit(const PairContribution& joiner);

Sas sasOf(const NoiseH& noiseH, const PairContribution& admin, const PairContribution& joiner,
    const BundleHash& adminBundle, const BundleHash& joinerBundle);

}  // namespace hearth::crypto

#include "crypto/pairing/recover.h"

namespace hearth::crypto {

namespace {
using ProofKey = Key<struct RecoveryProofKeyTag, 32>;
}

Psk recoveryPsk(const DeviceId& recoveryId, const Digest& helloHashed) {
  return derive<Psk>(recoveryId.asBytes(), "hearth/pair-psk/recovery/v1", {helloHashed.asBytes()});
}

Digest recoveryBinding(const NoiseH& noiseH, const Bundle& host, const Bundle& caller) {
  return hash("hearth/recovery-binding/v1",
      {noiseH.asBytes(), host.hash().asBytes(), caller.hash().asBytes()});
}

Mac16 recoveryProof(const XWing::Shared& shared, const Digest& binding) {
  auto key = derive<ProofKey>(shared.reveal(), "hearth/recovery-proof/v1", {binding.asBytes()});
  return mac16(key.reveal(), "hearth/recovery-proof/v1", {});
}

}  // namespace hearth::crypto

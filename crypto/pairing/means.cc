#include "crypto/pairing/means.h"

namespace hearth::crypto {

QrProof QrProof::draw(const Bundle& joiner, Entropy& entropy) {
  auto secret = QrSecret::draw(entropy);
  auto commitment = qrCommitment(joiner, secret);
  return {commitment, kj::mv(secret)};
}

PairMethod methodOf(const PairingMeans& means) {
  if (std::holds_alternative<QrProof>(means)) return PairMethod::QR;
  if (std::holds_alternative<SasComparison>(means)) return PairMethod::SAS;
  return PairMethod::CODE;
}

Protocol protocolOf(PairMethod method) {
  return method == PairMethod::SAS ? Protocol::XXHFS : Protocol::XXHFSPSK0;
}

}  // namespace hearth::crypto

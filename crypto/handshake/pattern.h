#pragma once
// A Noise handshake pattern as a value, read from the notation of the specification:
//
//   "<- s ... -> e, es, e1, s, ss <- e, ee, ekem1, se, psk"
//
// Message 1 comes from the initiator, then they alternate. `e1` sends an ML-KEM-768 public key,
// `ekem1` the ciphertext to it (Noise extension "KEM-based Hybrid Forward Secrecy", revision 1).

#include <kj/string.h>
#include <kj/vector.h>

#include <cstdint>

namespace hearth::crypto {

enum class Token : uint8_t { E, S, EE, ES, SE, SS, PSK, E1, EKEM1 };

struct Pattern {
  bool initiatorStaticKnown = false;  // pre-message "-> s"
  bool responderStaticKnown = false;  // pre-message "<- s"
  kj::Vector<kj::Vector<Token>> messages;

  bool usesPsk() const;

  // Requires well-formed notation: patterns are literals, never input.
  static Pattern parse(kj::StringPtr notation);
};

// The four protocols of Hearth. The numbers are those of HS_INIT and of prologues.
enum class Protocol : uint8_t {
  XXHFS = 1,      // pairing by SAS
  XXHFSPSK0 = 2,  // pairing by QR or code
  IKHFSPSK2 = 3,  // peers
  IKHFS = 4,      // resync only
};

kj::StringPtr nameOf(Protocol protocol);      // "Noise_XXhfs_25519+MLKEM768_ChaChaPoly_BLAKE2b"
kj::StringPtr notationOf(Protocol protocol);  // for Pattern::parse

}  // namespace hearth::crypto

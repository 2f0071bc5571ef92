#pragma once
// The Noise handshake machine (Noise rev 34 §5, with psk tokens of §9 and the hybrid tokens of the
// hfs extension). It holds no socket and draws no random number: every ephemeral comes in.
//
//   Noise a(setup, keys);   a.write(payload) -> message      b.read(message) -> payload
//   ... in turn, until finished(); then split() once, on both sides.
//
// The first error ends it: keys are wiped, and every later call refuses.

#include "crypto/handshake/noise-cipher.h"
#include "crypto/handshake/noise-hash.h"
#include "crypto/handshake/pattern.h"
#include "crypto/primitives/exchange.h"

namespace hearth::crypto {

using Psk = Key<struct PskTag, 32>;
using ExporterSecret = Key<struct ExporterSecretTag, 64>;

class Noise final {
 public:
  // Noise §3: no message is longer.
  static constexpr size_t MESSAGE_BYTES_MAX = 65535;

  struct Setup {
    kj::StringPtr name;  // the protocol name, which becomes the first h
    Pattern pattern;
    const NoiseCipher& cipher;
    const NoiseHash& hash;
    bool initiator;
  };

  // What one side brings. The referenced static key outlives the machine.
  struct Keys {
    kj::Maybe<const DhSecret&> own;
    kj::Maybe<DhPublic> remote;  // where a pre-message or the caller knows it
    DhSecret ephemeral;
    kj::Maybe<MlKem::KeySeed> kemSeed = nullptr;        // the initiator of a hybrid pattern
    kj::Maybe<MlKem::EncapsSeed> encapsSeed = nullptr;  // the responder of one
    kj::Vector<Psk> psks = {};                          // in the order of the psk tokens
  };

  struct Split {
    CipherState i2r;
    CipherState r2i;
    ExporterSecret exporter;  // output 3 of the last HKDF, zero padded to 64 bytes
  };

  Noise(Setup setup, Keys keys, Bytes prologue);

  // Gives the psk of the next psk token, for a responder that learns from message 1 whose it is.
  void supply(Psk psk) { keys.psks.add(kj::mv(psk)); }

  // Errors: SMALL_ORDER, BAD_FORMAT for a peer's unusable public key; KEYS_EXPIRED never happens.
  // Requires that it is this side's turn and that the psks needed have been given.
  Result<Buffer> write(Bytes payload);

  // Reads the peer's next message, gives its payload.
  // Errors: BAD_LENGTH, DECRYPT_FAILED, SMALL_ORDER, BAD_FORMAT.
  Result<Buffer> read(Bytes message);

  bool finished() const { return next == setup.pattern.messages.size(); }
  bool ended() const { return dead; }

  // The peer's static key, once known. It is authenticated when a message that mixes it in opens.
  kj::Maybe<DhPublic> remoteStatic() const { return keys.remote; }

  // h: the transcript; the channel binding once finished (Noise §11.2). setup.hash.bytes() long.
  Bytes handshakeHash() const { return kj::arrayPtr(h, setup.hash.bytes()); }

  // Transport keys. Requires finished(); the machine is of no use after it.
  Split split();

 private:
  Setup setup;
  Keys keys;
  bool mixesEphemerals;  // §9.2: with psk tokens every e is MixKeyed too
  kj::Maybe<DhPublic> remoteEphemeral;
  kj::Maybe<MlKem::Pair> kem;
  kj::Maybe<MlKem::Public> remoteKem;
  kj::byte h[NoiseHash::BYTES_MAX] = {};
  Key<struct ChainingTag, NoiseHash::BYTES_MAX> ck;
  kj::Maybe<CipherState> cipher;
  size_t next = 0;  // index of the next message
  size_t nextPsk = 0;
  bool dead = false;

  Bytes chaining() const { return ck.reveal().slice(0, setup.hash.bytes()); }
  bool myTurn() const { return setup.initiator == (next % 2 == 0); }
  void mixHash(Bytes data);
  void mixKey(Bytes material);
  void mixKeyAndHash(Bytes material);
  void setCipher(Bytes output);
  Result<Buffer> encryptAndHash(Bytes plain);
  Result<Buffer> decryptAndHash(Bytes data);
  size_t sealedSize(size_t plain) const;

  Result<void> writeToken(Token token, kj::Vector<kj::byte>& out);
  Result<void> readToken(Token token, Bytes& rest);
  Result<void> mixToken(Token token);  // those that send nothing
  Result<void> mixDh(kj::Maybe<const DhSecret&> own, const kj::Maybe<DhPublic>& remote);
  template <typename IdType>
  Result<IdType> readPublic(Bytes& rest, bool sealed);
  Error end(Error error);
};

}  // namespace hearth::crypto

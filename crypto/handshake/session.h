#pragma once
// What a finished handshake leaves behind: a key for each direction, the exporter secret and the
// transcript hash. SendingKey and ReceivingKey count records from 0 and change their key by
// themselves before each record whose number is a non-zero multiple of 2^14, so that at most 1 GiB
// passes under one key and no signal is needed.

#include "crypto/handshake/noise.h"

namespace hearth::crypto {

constexpr uint64_t REKEY_EVERY = 1 << 14;  // records
using NoiseH = Id<struct NoiseHTag, 64>;

class SendingKey final {
 public:
  explicit SendingKey(CipherState state): state(kj::mv(state)) {}

  uint64_t counter() const { return state.counter(); }

  // `out` holds plain.size() + 16 bytes and may begin where `plain` begins.
  // Errors: KEYS_EXPIRED when the counter has run out: begin a new handshake.
  Result<void> seal(Bytes plain, kj::ArrayPtr<kj::byte> out);

 private:
  CipherState state;
};

class ReceivingKey final {
 public:
  explicit ReceivingKey(CipherState state): state(kj::mv(state)) {}

  uint64_t counter() const { return state.counter(); }

  // Opens the next record; a replayed, lost or swapped one does not open.
  // Errors: DECRYPT_FAILED, which leaves this unchanged but should end the link; KEYS_EXPIRED.
  Result<Buffer> open(Bytes sealed);

  // The same into `out`, which holds sealed.size() - 16 bytes and may begin where `sealed` begins. What
  // did not open leaves zeros there.
  Result<void> open(Bytes sealed, kj::ArrayPtr<kj::byte> out);

 private:
  CipherState state;
  uint64_t rekeyedAt = 0;

  void rekeyIfDue();
};

struct SessionKeys {
  CipherState i2r;
  CipherState r2i;
  ExporterSecret exporter;
  NoiseH noiseH;

  // Requires a finished machine over a 64-byte hash.
  static SessionKeys from(Noise& noise);
};

constexpr size_t EXPORT_BYTES_MAX = 64;

// The first out.size() bytes of HMAC-BLAKE2b(exporter secret, LABEL(label) || noise_h).
void exportKey(const ExporterSecret& exporter, const NoiseH& noiseH, kj::StringPtr label,
    kj::ArrayPtr<kj::byte> out);

}  // namespace hearth::crypto

#include "crypto/handshake/session.h"

#include <kj/debug.h>
#include <kj/vector.h>

#include <cstring>

namespace hearth::crypto {

namespace {
bool isDue(uint64_t n) { return n != 0 && n % REKEY_EVERY == 0; }
}  // namespace

Result<void> SendingKey::seal(Bytes plain, kj::ArrayPtr<kj::byte> out) {
  if (isDue(state.counter())) state.rekey();
  return state.seal(nullptr, plain, out);
}

void ReceivingKey::rekeyIfDue() {
  if (auto n = state.counter(); isDue(n) && rekeyedAt != n) {
    state.rekey();
    rekeyedAt = n;
  }
}

Result<Buffer> ReceivingKey::open(Bytes sealed) {
  rekeyIfDue();
  return state.open(nullptr, sealed);
}

Result<void> ReceivingKey::open(Bytes sealed, kj::ArrayPtr<kj::byte> out) {
  rekeyIfDue();
  return state.open(nullptr, sealed, out);
}

SessionKeys SessionKeys::from(Noise& noise) {
  auto noiseH = NoiseH::from(noise.handshakeHash()).value();
  auto split = noise.split();
  return {kj::mv(split.i2r), kj::mv(split.r2i), kj::mv(split.exporter), noiseH};
}

void exportKey(const ExporterSecret& exporter, const NoiseH& noiseH, kj::StringPtr label,
    kj::ArrayPtr<kj::byte> out) {
  KJ_REQUIRE(out.size() <= EXPORT_BYTES_MAX && label.size() <= 0xff);
  kj::Vector<kj::byte> head;
  head.add(static_cast<kj::byte>(label.size()));
  head.addAll(label.asBytes());
  Scratch<NoiseHash::BYTES_MAX> full;
  blake2b().hmac(exporter.reveal(), {head.asPtr(), noiseH.asBytes()}, full.writable());
  if (out.size() > 0) memcpy(out.begin(), full.begin(), out.size());
}

}  // namespace hearth::crypto

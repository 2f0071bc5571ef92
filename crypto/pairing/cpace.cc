#include "crypto/pairing/cpace.h"

#include <kj/debug.h>

#include <cstring>
#include <sodium.h>

namespace hearth::crypto {

namespace {

constexpr kj::StringPtr DSI = "CPaceRistretto255"_kj;
constexpr kj::StringPtr DSI_ISK = "CPaceRistretto255_ISK"_kj;
constexpr size_t HASH_BLOCK_BYTES = 128;  // SHA-512

// Bytes of lv(x): LEB128 length, then x.
size_t lvSize(size_t size) {
  size_t prefix = 1;
  for (auto rest = size >> 7; rest > 0; rest >>= 7) ++prefix;
  return prefix + size;
}

// Appends to a Secret of the right size.
class Appender final {
 public:
  explicit Appender(Secret& out): out(out) {}

  void raw(Bytes bytes) {
    KJ_ASSERT(at + bytes.size() <= out.size());
    if (bytes.size() > 0) memcpy(out.writable().begin() + at, bytes.begin(), bytes.size());
    at += bytes.size();
  }
  void lv(Bytes bytes) {
    auto rest = bytes.size();
    do {
      auto more = rest > 0x7f ? 0x80 : 0;
      raw(Little(static_cast<uint8_t>((rest & 0x7f) | more)).asBytes());
      rest >>= 7;
    } while (rest > 0);
    raw(bytes);
  }

 private:
  Secret& out;
  size_t at = 0;
};

}  // namespace

Cpace::Scalar Cpace::drawScalar(Entropy& entropy) {
  Scratch<crypto_core_ristretto255_NONREDUCEDSCALARBYTES> wide;
  entropy.fill(wide.writable());
  return Scalar::make([&](kj::ArrayPtr<kj::byte> out) {
    crypto_core_ristretto255_scalar_reduce(out.begin(), wide.begin());
  });
}

Secret Cpace::generatorString(const Setting& setting) {
  KJ_REQUIRE(setting.prs.size() <= PASSWORD_BYTES_MAX, setting.prs.size());
  static constexpr kj::byte ZEROS[HASH_BLOCK_BYTES] = {};
  auto used = 1 + lvSize(setting.prs.size()) + lvSize(DSI.size());
  auto pad = kj::arrayPtr(ZEROS, used < HASH_BLOCK_BYTES ? HASH_BLOCK_BYTES - used : 0);
  Secret out(lvSize(DSI.size()) + lvSize(setting.prs.size()) + lvSize(pad.size()) +
      lvSize(setting.ci.size()) + lvSize(setting.sid.size()));
  Appender appender(out);
  for (Bytes part: {Bytes(DSI.asBytes()), setting.prs, Bytes(pad), setting.ci, setting.sid}) {
    appender.lv(part);
  }
  return out;
}

Cpace::Point Cpace::generator(Bytes generatorString) {
  Scratch<crypto_hash_sha512_BYTES> hashed;
  crypto_hash_sha512(hashed.begin(), generatorString.begin(), generatorString.size());
  Point point;
  crypto_core_ristretto255_from_hash(point.bytes, hashed.begin());
  return point;
}

Cpace::Point Cpace::multiply(const Scalar& scalar, const Point& generator) {
  Point point;
  KJ_REQUIRE(
      crypto_scalarmult_ristretto255(point.bytes, scalar.reveal().begin(), generator.bytes) == 0);
  return point;
}

Result<Cpace::Shared> Cpace::agree(const Scalar& own, const Point& peer) {
  int status = 0;
  auto shared = Shared::make([&](kj::ArrayPtr<kj::byte> out) {
    status = crypto_scalarmult_ristretto255(out.begin(), own.reveal().begin(), peer.bytes);
  });
  if (status != 0) return no(Errc::SMALL_ORDER, "the peer's CPace point cannot be used");
  return kj::mv(shared);
}

Cpace::Isk Cpace::isk(
    const Setting& setting, const Shared& shared, const Point& initiator, const Point& responder) {
  Secret input(lvSize(DSI_ISK.size()) + lvSize(setting.sid.size()) + lvSize(Shared::SIZE) +
      2 * lvSize(Point::SIZE) + lvSize(setting.ada.size()) + lvSize(setting.adb.size()));
  Appender appender(input);
  for (Bytes part: {Bytes(DSI_ISK.asBytes()), setting.sid, shared.reveal(), initiator.asBytes(),
           setting.ada, responder.asBytes(), setting.adb}) {
    appender.lv(part);
  }
  return Isk::make([&](kj::ArrayPtr<kj::byte> out) {
    crypto_hash_sha512(out.begin(), input.reveal().begin(), input.size());
  });
}

}  // namespace hearth::crypto

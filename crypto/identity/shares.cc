#include "crypto/identity/shares.h"

#include "core/base/flat.h"
#include "crypto/primitives/hash.h"

#include <kj/debug.h>

#include <cstring>

namespace hearth::crypto {

namespace {

constexpr uint8_t VERSION = 1;
constexpr uint8_t THRESHOLD = 2;
constexpr size_t MACKED_BYTES = SHARE_BYTES - Mac16::SIZE;

using ShareMacKey = Key<struct ShareMacKeyTag, 32>;

// Multiplication in GF(2^8), without branches on secret bits.
kj::byte multiply(kj::byte a, kj::byte b) {
  uint32_t product = 0, shifted = a;
  for (int bit = 0; bit < 8; ++bit) {
    product ^= shifted & (0u - ((b >> bit) & 1));
    shifted = (shifted << 1) ^ (0x11b & (0u - ((shifted >> 7) & 1)));
  }
  return static_cast<kj::byte>(product);
}

// a^254 is the inverse of a.
kj::byte inverse(kj::byte a) {
  kj::byte result = 1;
  for (int i = 0; i < 254; ++i) result = multiply(result, a);
  return result;
}

Mac16 macOf(const RecoverySeed& seed, const ShareSetId& set, Bytes before) {
  auto key = derive<ShareMacKey>(seed.reveal(), "hearth/share-mac/v1", {set.asBytes()});
  return mac16(key.reveal(), "hearth/share/v1", {before});
}

struct Share {
  uint8_t index;
  ShareSetId set;
  Bytes value;
  Bytes macked;
  Mac16 mac;
};

Result<Share> parse(Bytes bytes) {
  if (bytes.size() != SHARE_BYTES) return no(Errc::BAD_LENGTH, "a share of another length");
  FlatReader reader(bytes);
  auto version = reader.u8(), threshold = reader.u8();
  if (version != VERSION || threshold != THRESHOLD) {
    return no(Errc::BAD_VERSION, "a share of another version or threshold");
  }
  Share share{reader.u8(), reader.id<ShareSetId>(), reader.bytes(RecoverySeed::SIZE),
      bytes.slice(0, MACKED_BYTES), reader.id<Mac16>()};
  if (share.index < 1 || share.index > SHARE_COUNT) reader.refuse();
  if (auto end = reader.finish(); !end) return no(end.error());
  return share;
}

bool holds(const RecoverySeed& seed, const Share& share) {
  return equalSecrets(macOf(seed, share.set, share.macked).asBytes(), share.mac.asBytes());
}

}  // namespace

Secret recoveryShare(const RecoverySeed& seed, const ShareSetId& set,
    const ShareCoefficients& coefficients, uint8_t index) {
  KJ_REQUIRE(index >= 1 && index <= SHARE_COUNT, index);
  Secret out(SHARE_BYTES);
  auto at = out.writable().begin();
  *at++ = VERSION;
  *at++ = THRESHOLD;
  *at++ = index;
  memcpy(at, set.bytes, ShareSetId::SIZE);
  at += ShareSetId::SIZE;
  for (size_t i = 0; i < RecoverySeed::SIZE; ++i) {
    *at++ = seed.reveal()[i] ^ multiply(index, coefficients.reveal()[i]);
  }
  auto mac = macOf(seed, set, out.reveal().slice(0, MACKED_BYTES));
  memcpy(at, mac.bytes, Mac16::SIZE);
  return out;
}

Result<RecoverySeed> combineShares(Bytes first, Bytes second) {
  auto a = parse(first), b = parse(second);
  if (!a) return no(a.error());
  if (!b) return no(b.error());
  if (a->index == b->index) return no(Errc::BAD_FORMAT, "the same share twice");
  if (a->set != b->set) return no(Errc::BAD_FORMAT, "shares of different sets");

  // With a = s ^ i*r and b = s ^ j*r: r = (a ^ b) / (i ^ j), s = a ^ i*r.
  auto divisor = inverse(a->index ^ b->index);
  auto seed = RecoverySeed::make([&](kj::ArrayPtr<kj::byte> out) {
    for (size_t i = 0; i < out.size(); ++i) {
      auto r = multiply(a->value[i] ^ b->value[i], divisor);
      out[i] = a->value[i] ^ multiply(a->index, r);
    }
  });
  if (!holds(seed, *a) || !holds(seed, *b)) return no(Errc::BAD_MAC, "a share was changed");
  return kj::mv(seed);
}

}  // namespace hearth::crypto

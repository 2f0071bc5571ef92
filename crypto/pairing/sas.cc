#include "crypto/pairing/sas.h"

#include "core/base/flat.h"
#include "crypto/primitives/hash.h"

namespace hearth::crypto {

namespace {

constexpr size_t PICTURE_BITS = 6;
constexpr uint64_t DIGITS_BELOW = 10'000'000;

// Frozen: both screens must show the same.
constexpr Picture PICTURES[] = {{"anchor"_kj, 0x2693}, {"ant"_kj, 0x1F41C}, {"apple"_kj, 0x1F34E},
    {"banana"_kj, 0x1F34C}, {"bell"_kj, 0x1F514}, {"bike"_kj, 0x1F6B2}, {"boat"_kj, 0x26F5},
    {"book"_kj, 0x1F4D6}, {"brush"_kj, 0x1F58C}, {"bus"_kj, 0x1F68C}, {"cactus"_kj, 0x1F335},
    {"cake"_kj, 0x1F382}, {"camel"_kj, 0x1F42B}, {"candle"_kj, 0x1F56F}, {"carrot"_kj, 0x1F955},
    {"castle"_kj, 0x1F3F0}, {"chair"_kj, 0x1FA91}, {"cheese"_kj, 0x1F9C0}, {"clock"_kj, 0x23F0},
    {"cloud"_kj, 0x2601}, {"coat"_kj, 0x1F9E5}, {"corn"_kj, 0x1F33D}, {"crab"_kj, 0x1F980},
    {"crown"_kj, 0x1F451}, {"dice"_kj, 0x1F3B2}, {"door"_kj, 0x1F6AA}, {"drum"_kj, 0x1F941},
    {"duck"_kj, 0x1F986}, {"egg"_kj, 0x1F95A}, {"eye"_kj, 0x1F441}, {"fire"_kj, 0x1F525},
    {"fox"_kj, 0x1F98A}, {"frog"_kj, 0x1F438}, {"ghost"_kj, 0x1F47B}, {"glove"_kj, 0x1F9E4},
    {"grape"_kj, 0x1F347}, {"guitar"_kj, 0x1F3B8}, {"hammer"_kj, 0x1F528}, {"hat"_kj, 0x1F3A9},
    {"heart"_kj, 0x2764}, {"key"_kj, 0x1F511}, {"kite"_kj, 0x1FA81}, {"lamp"_kj, 0x1F4A1},
    {"leaf"_kj, 0x1F343}, {"lemon"_kj, 0x1F34B}, {"lock"_kj, 0x1F512}, {"moon"_kj, 0x1F319},
    {"mouse"_kj, 0x1F42D}, {"owl"_kj, 0x1F989}, {"pencil"_kj, 0x270F}, {"pizza"_kj, 0x1F355},
    {"rocket"_kj, 0x1F680}, {"rose"_kj, 0x1F339}, {"scissors"_kj, 0x2702}, {"shark"_kj, 0x1F988},
    {"shoe"_kj, 0x1F45F}, {"snail"_kj, 0x1F40C}, {"spoon"_kj, 0x1F944}, {"star"_kj, 0x2B50},
    {"sun"_kj, 0x2600}, {"tent"_kj, 0x26FA}, {"tree"_kj, 0x1F333}, {"umbrella"_kj, 0x2602},
    {"whale"_kj, 0x1F433}};
static_assert(kj::size(PICTURES) == 1 << PICTURE_BITS);

}  // namespace

kj::Array<Picture> Sas::pictures() const {
  auto shown = kj::heapArrayBuilder<Picture>(SAS_PICTURES);
  for (size_t i = 0; i < SAS_PICTURES; ++i) {
    size_t index = 0;
    for (size_t bit = i * PICTURE_BITS; bit < (i + 1) * PICTURE_BITS; ++bit) {
      index = index << 1 | ((value.bytes[bit / 8] >> (7 - bit % 8)) & 1);
    }
    shown.add(PICTURES[index]);
  }
  return shown.finish();
}

kj::String Sas::digits() const {
  FlatReader reader(value.asBytes().slice(8, 16));
  auto number = reader.u64() % DIGITS_BELOW;
  char shown[9] = {};
  for (size_t i = 8; i-- > 0;) {
    if (i == 3) {
      shown[i] = ' ';
      continue;
    }
    shown[i] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
  return kj::str(shown);
}

Digest sasCommit(const PairContribution& joiner) {
  return hash("hearth/sas-commit/v1", {joiner.asBytes()});
}

Sas sasOf(const NoiseH& noiseH, const PairContribution& admin, const PairContribution& joiner,
    const BundleHash& adminBundle, const BundleHash& joinerBundle) {
  return {hash("hearth/sas/v1",
      {noiseH.asBytes(), admin.asBytes(), joiner.asBytes(), adminBundle.asBytes(),
          joinerBundle.asBytes()})};
}

}  // namespace hearth::crypto

#include "crypto/primitives/blake3.h"

#include <kj/encoding.h>
#include <kj/vector.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::crypto {
namespace {

// BLAKE3's own test_vectors.json: 0, 1, 2 ... 250, 0, 1 ... as input; the first 32 bytes of each answer.
struct Case {
  size_t length;
  kj::StringPtr hash, keyed, derived;
};
constexpr kj::StringPtr KEY = "whats the Elvish word for friend"_kj;
constexpr kj::StringPtr CONTEXT = "BLAKE3 2019-12-27 16:29:52 test vectors context"_kj;
constexpr Case CASES[] = {
    {0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"_kj,
        "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26"_kj,
        "2cc39783c223154fea8dfb7c1b1660f2ac2dcbd1c1de8277b0b0dd39b7e50d7d"_kj},
    {1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"_kj,
        "6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b"_kj,
        "b3e2e340a117a499c6cf2398a19ee0d29cca2bb7404c73063382693bf66cb06c"_kj},
    {1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"_kj,
        "c951ecdf03288d0fcc96ee3413563d8a6d3589547f2c2fb36d9786470f1b9d6e"_kj,
        "74a16c1c3d44368a86e1ca6df64be6a2f64cce8f09220787450722d85725dea5"_kj},
    {1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"_kj,
        "357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69"_kj,
        "effaa245f065fbf82ac186839a249707c3bddf6d3fdda22d1b95a3c970379bcb"_kj},
    {4097, "9b4052b38f1c5fc8b1f9ff7ac7b27cd242487b3d890d15c96a1c25b8aa0fb995"_kj,
        "00df940cd36bb9fa7cbbc3556744e0dbc8191401afe70520ba292ee3ca80abbc"_kj,
        "aca51029626b55fda7117b42a7c211f8c6e9ba4fe5b7a8ca922f34299500ead8"_kj},
    {7169, "a003fc7a51754a9b3c7fae0367ab3d782dccf28855a03d435f8cfe74605e7817"_kj,
        "ed9b1a922c046fdb3d423ae34e143b05ca1bf28b710432857bf738bcedbfa511"_kj,
        "554b0a5efea9ef183f2f9b931b7497995d9eb26f5c5c6dad2b97d62fc5ac31d9"_kj},
};

Buffer inputOf(size_t length) {
  auto input = kj::heapArray<kj::byte>(length);
  for (size_t i = 0; i < length; ++i) input[i] = static_cast<kj::byte>(i % 251);
  return input;
}

kj::String hex(const Digest& digest) { return kj::encodeHex(digest.asBytes()); }

TEST_CASE("BLAKE3 gives the published answers in its three modes") {
  for (auto& vector: CASES) {
    auto input = inputOf(vector.length);
    CAPTURE(vector.length);
    REQUIRE(hex(blake3(input)) == vector.hash);
    REQUIRE(hex(Blake3::keyed(KEY.asBytes()).update(input).finish()) == vector.keyed);
    REQUIRE(hex(Blake3::deriving(CONTEXT).update(input).finish()) == vector.derived);
  }
}

TEST_CASE("BLAKE3 gives more than 32 bytes where they are wanted") {
  kj::byte out[131];
  Blake3().finish(out);
  REQUIRE(kj::encodeHex(kj::arrayPtr(out, 131)) ==
      "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262e00f03e7b69af26b7faaf09fcd333050338ddfe085b8cc86"
      "9ca98b206c08243a26f5487789e8f660afe6c99ef9e0c52b92e7393024a80459cf91f476f9ffdbda7001c22e159b402631f277ca96f2defd"
      "f1078282314e763699a31c5363165421cce14d"_kj);
}

TEST_CASE("BLAKE3 of pieces is that of the whole") {
  auto input = inputOf(7'169);
  Blake3 hash;
  for (size_t at = 0, piece = 1; at < input.size(); at += piece, piece = piece * 2 % 1'021)
    hash.update(input.slice(at, kj::min(at + piece, input.size())));
  REQUIRE(hex(hash.finish()) == CASES[5].hash);
}

}  // namespace
}  // namespace hearth::crypto

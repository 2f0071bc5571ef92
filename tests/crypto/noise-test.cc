#include "crypto/handshake/noise.h"

#include <kj/encoding.h>
#include <kj/exception.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::crypto {
namespace {

template <typename T>
T typed(kj::StringPtr hex) {
  return T::from(kj::decodeHex(hex)).value();
}

// Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b of the cacophony library's published vectors.
struct PublishedPair {
  kj::Array<kj::byte> prologue = kj::decodeHex("4a6f686e2047616c74"_kj);
  DhSecret initStatic =
      typed<DhSecret>("e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1");
  DhSecret respStatic =
      typed<DhSecret>("4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893");
  Noise init = machine(true), resp = machine(false);

  Noise machine(bool initiator) {
    auto notation = "<- s ... -> e, es, s, ss <- e, ee, se, psk"_kj;
    Noise::Keys keys{.own = initiator ? initStatic : respStatic,
        .ephemeral = typed<DhSecret>(initiator
                ? "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a"_kj
                : "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b"_kj)};
    if (initiator) keys.remote = publicOf(respStatic);
    keys.psks.add(typed<Psk>("54686973206973206d7920417573747269616e20706572737065637469766521"));
    return Noise({"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b", Pattern::parse(notation), chaChaPoly(),
                     blake2b(), initiator},
        kj::mv(keys), prologue);
  }
};

TEST_CASE("the machine gives the published bytes of a handshake with a psk") {
  PublishedPair pair;
  auto first = pair.init.write(kj::decodeHex("4c756477696720766f6e204d69736573"_kj)).value();
  REQUIRE(kj::encodeHex(first) ==
      "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944b6fe0240b839afac"
      "809de1630eaf99d8f9b941394f0512c0554633bbb021d15176135c0a20e7fdb9a9ed066f22f054b4"
      "7625b1d5061cb27d6a17f053273db7c25216a5addc506ee321bc0618feb5849d");
  REQUIRE(pair.resp.read(first).has_value());
  auto second = pair.resp.write(kj::decodeHex("4d757272617920526f746862617264"_kj)).value();
  REQUIRE(kj::encodeHex(second) ==
      "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f1448088438f627e69fc120006"
      "f746b9d420bf4056cf8481ab32d9e904ffaeeaa56a5290");
  REQUIRE(pair.init.read(second).has_value());
  REQUIRE(kj::encodeHex(pair.init.handshakeHash()) ==
      "ed837c9084f2f0333a7ec60b9bcacd9921394858de8ced118b5966d1147ba390084dab42326c565a"
      "309c29317a6079be30aa1d790d25a517b43287426cb1d36a");
}

TEST_CASE("both sides split into the same keys, and the first direction is the initiator's") {
  PublishedPair pair;
  REQUIRE(pair.resp.read(pair.init.write(nullptr).value()).has_value());
  REQUIRE(pair.init.read(pair.resp.write(nullptr).value()).has_value());
  auto init = pair.init.split(), resp = pair.resp.split();
  auto sealed = init.i2r.seal(nullptr, "text"_kj.asBytes()).value();
  REQUIRE(resp.i2r.open(nullptr, sealed).value() == "text"_kj.asBytes());
  REQUIRE(init.exporter.equals(resp.exporter));
  REQUIRE(init.r2i.revealKey() == resp.r2i.revealKey());
}

TEST_CASE("a machine that has failed refuses from then on") {
  PublishedPair pair;
  auto first = pair.init.write(nullptr).value();
  REQUIRE(pair.resp.read(first.slice(0, first.size() - 1)).error().code == Errc::DECRYPT_FAILED);
  REQUIRE(pair.resp.ended());
  REQUIRE_FALSE(pair.resp.read(first).has_value());
}

TEST_CASE("messages that are too short or too long are refused by length") {
  kj::byte none[1] = {};
  REQUIRE(PublishedPair().resp.read(none).error().code == Errc::BAD_LENGTH);
  auto longer = kj::heapArray<kj::byte>(Noise::MESSAGE_BYTES_MAX + 1);
  REQUIRE(PublishedPair().resp.read(longer).error().code == Errc::BAD_LENGTH);
}

TEST_CASE("to write or split out of turn is a bug in the caller") {
  PublishedPair pair;
  REQUIRE_THROWS_AS(pair.resp.write(nullptr), kj::Exception);
  REQUIRE_THROWS_AS(pair.init.split(), kj::Exception);
}

TEST_CASE("the four protocols read as the specification writes them") {
  auto peers = Pattern::parse(notationOf(Protocol::IKHFSPSK2));
  REQUIRE(peers.responderStaticKnown);
  REQUIRE_FALSE(peers.initiatorStaticKnown);
  REQUIRE(peers.messages.size() == 2);
  REQUIRE(peers.usesPsk());
  REQUIRE(peers.messages[0][2] == Token::E1);
  REQUIRE_FALSE(Pattern::parse(notationOf(Protocol::IKHFS)).usesPsk());
  REQUIRE(Pattern::parse(notationOf(Protocol::XXHFS)).messages.size() == 3);
}

}  // namespace
}  // namespace hearth::crypto

#include "crypto/primitives/aead.h"
#include "crypto/primitives/envelope.h"
#include "crypto/primitives/exchange.h"
#include "crypto/primitives/hash.h"

#include <kj/encoding.h>
#include <kj/exception.h>

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cstring>

namespace hearth::crypto {
namespace {

template <typename K>
K counting(kj::byte first) {
  return K::make([&](kj::ArrayPtr<kj::byte> out) {
    for (auto& b: out) b = first++;
  });
}

TEST_CASE("the label's length keeps a label and its data apart") {
  REQUIRE(hash("hearth/a", {"b"_kj.asBytes()}) != hash("hearth/ab", {}));
}

TEST_CASE("parts are hashed as one string") {
  REQUIRE(hash("hearth/a", {"xy"_kj.asBytes(), "z"_kj.asBytes()}) ==
      hash("hearth/a", {"x"_kj.asBytes(), "yz"_kj.asBytes()}));
}

TEST_CASE("a key of another length is refused") {
  kj::byte bytes[31] = {};
  REQUIRE(DhSecret::from(bytes).error().code == Errc::BAD_LENGTH);
}

TEST_CASE("a secret larger than its limit is a bug in the caller") {
  REQUIRE_THROWS_AS(Secret(Secret::BYTES_MAX + 1), kj::Exception);
}

TEST_CASE("a moved secret leaves nothing behind") {
  Secret first = Secret::copyOf("secret"_kj.asBytes());
  Secret second = kj::mv(first);
  REQUIRE(first.size() == 0);
  REQUIRE(second.reveal() == "secret"_kj.asBytes());
}

TEST_CASE("T13: X25519 refuses a point that makes the result all zero") {
  REQUIRE(agree(counting<DhSecret>(1), DhPublic()).error().code == Errc::SMALL_ORDER);
}

TEST_CASE("two sides of X25519 agree") {
  auto a = counting<DhSecret>(1), b = counting<DhSecret>(2);
  REQUIRE(agree(a, publicOf(b)).value().equals(agree(b, publicOf(a)).value()));
}

TEST_CASE("T13: an ML-KEM public key with unreduced coefficients is refused") {
  MlKem::Public pk;
  memset(pk.bytes, 0xff, MlKem::Public::SIZE);
  REQUIRE(MlKem::encapsulate(pk, counting<MlKem::EncapsSeed>(1)).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("T13: a tampered ML-KEM ciphertext gives another secret and no error") {
  auto pair = MlKem::generate(counting<MlKem::KeySeed>(1));
  auto sent = MlKem::encapsulate(pair.pk, counting<MlKem::EncapsSeed>(9)).value();
  REQUIRE(MlKem::decapsulate(pair.secret, sent.ciphertext).value().equals(sent.shared));
  sent.ciphertext[7] ^= 1;
  REQUIRE_FALSE(MlKem::decapsulate(pair.secret, sent.ciphertext).value().equals(sent.shared));
}

TEST_CASE("T13: an ML-KEM ciphertext of another length is refused") {
  auto pair = MlKem::generate(counting<MlKem::KeySeed>(1));
  kj::byte bytes[MlKem::CIPHERTEXT_BYTES - 1] = {};
  REQUIRE(MlKem::decapsulate(pair.secret, bytes).error().code == Errc::BAD_LENGTH);
}

TEST_CASE("X-Wing opens what was encapsulated to its key") {
  auto secret = counting<XWing::Secret>(3);
  auto sent = XWing::encapsulate(XWing::publicOf(secret), counting<XWing::EncapsSeed>(4)).value();
  REQUIRE(XWing::decapsulate(secret, sent.ciphertext).value().equals(sent.shared));
}

TEMPLATE_TEST_CASE(
    "an AEAD opens what it sealed and nothing else", "", ChaChaPoly, XChaChaPoly, Aegis256) {
  auto key = counting<DhSecret>(5);
  auto nonce = counterNonce<typename TestType::Nonce>(7);
  auto sealed = TestType::seal(key.reveal(), nonce, "ad"_kj.asBytes(), "text"_kj.asBytes());
  REQUIRE(sealed.size() == 4 + TestType::TAG_BYTES);
  REQUIRE(TestType::open(key.reveal(), nonce, "ad"_kj.asBytes(), sealed).value() ==
      "text"_kj.asBytes());
  auto failed = [&](Bytes ad, Bytes bytes) {
    return TestType::open(key.reveal(), nonce, ad, bytes).error().code == Errc::DECRYPT_FAILED;
  };
  REQUIRE(failed("bd"_kj.asBytes(), sealed));
  REQUIRE(failed("ad"_kj.asBytes(), sealed.slice(0, TestType::TAG_BYTES - 1)));
  sealed[0] ^= 1;
  REQUIRE(failed("ad"_kj.asBytes(), sealed));
}

struct AegisAnswer {
  kj::StringPtr key, nonce, ad, text, sealed;
};

// draft-irtf-cfrg-aegis-aead, test vectors 1 to 3 of AEGIS-256, with tags of 256 bits.
const AegisAnswer AEGIS_ANSWERS[] = {
    {"1001000000000000000000000000000000000000000000000000000000000000"_kj,
        "1000020000000000000000000000000000000000000000000000000000000000"_kj, ""_kj,
        "00000000000000000000000000000000"_kj,
        "754fc3d8c973246dcc6d741412a4b236"
        "1181a1d18091082bf0266f66297d167d2e68b845f61a3b0527d31fc7b7b89f13"_kj},
    {"1001000000000000000000000000000000000000000000000000000000000000"_kj,
        "1000020000000000000000000000000000000000000000000000000000000000"_kj, ""_kj, ""_kj,
        "6a348c930adbd654896e1666aad67de989ea75ebaa2b82fb588977b1ffec864a"_kj},
    {"1001000000000000000000000000000000000000000000000000000000000000"_kj,
        "1000020000000000000000000000000000000000000000000000000000000000"_kj,
        "0001020304050607"_kj,
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"_kj,
        "f373079ed84b2709faee373584585d60accd191db310ef5d8b11833df9dec711"
        "b7d28d0c3c0ebd409fd22b44160503073a547412da0854bfb9723020dab8da1a"_kj},
};

TEST_CASE("AEGIS-256 gives the known answers of its draft") {
  for (auto& answer: AEGIS_ANSWERS) {
    auto bytes = [](kj::StringPtr hex) -> Buffer { return kj::decodeHex(hex); };
    auto key = bytes(answer.key), ad = bytes(answer.ad), text = bytes(answer.text);
    auto nonce = Aegis256::Nonce::from(bytes(answer.nonce)).value();
    auto sealed = Aegis256::seal(key, nonce, ad, text);
    REQUIRE(kj::encodeHex(sealed) == answer.sealed);
    REQUIRE(Aegis256::open(key, nonce, ad, sealed).value() == text);
  }
}

TEST_CASE("a signature is worth nothing under another type") {
  auto pair = SignPair::fromSeed(counting<SignSeed>(1));
  auto body = "body"_kj.asBytes();
  auto signature = sign(pair.secret, SigType::JOIN, body);
  REQUIRE(verify(pair.pk, SigType::JOIN, body, signature));
  REQUIRE_FALSE(verify(pair.pk, SigType::OP, body, signature));
}

struct OneEnvelope {
  SignPair pair = SignPair::fromSeed(counting<SignSeed>(1));
  Buffer bytes = sealEnvelope(SigType::HEAD, "body"_kj.asBytes(), DeviceId(), pair.secret);
};

TEST_CASE("an envelope reads back as it was written") {
  OneEnvelope one;
  auto envelope = readEnvelope(SigType::HEAD, one.bytes, 4).value();
  REQUIRE(envelope.body == "body"_kj.asBytes());
  REQUIRE(verify(one.pair.pk, SigType::HEAD, envelope.body, envelope.signatures[0].signature));
}

TEST_CASE("an envelope of another type is refused") {
  REQUIRE_FALSE(readEnvelope(SigType::APP, OneEnvelope().bytes, 4).has_value());
}

TEST_CASE("an envelope whose body is over the reader's limit is refused") {
  REQUIRE_FALSE(readEnvelope(SigType::HEAD, OneEnvelope().bytes, 3).has_value());
}

TEST_CASE("an envelope cut at any byte is refused") {
  OneEnvelope one;
  for (size_t cut = 0; cut < one.bytes.size(); ++cut) {
    REQUIRE_FALSE(readEnvelope(SigType::HEAD, one.bytes.slice(0, cut), 4).has_value());
  }
}

TEST_CASE("an envelope with one signer too many is refused") {
  Signed signers[Envelope::SIGNERS_MAX] = {};
  auto most = writeEnvelope(SigType::HEAD, nullptr, signers);
  REQUIRE(readEnvelope(SigType::HEAD, most, 4).value().signatures.size() == Envelope::SIGNERS_MAX);
  auto more = kj::heapArray<kj::byte>(most.size() + DeviceId::SIZE + Signature::SIZE);
  memset(more.begin(), 0, more.size());
  memcpy(more.begin(), most.begin(), most.size());
  more[1 + nameOf(SigType::HEAD).size() + 4] = Envelope::SIGNERS_MAX + 1;
  REQUIRE_FALSE(readEnvelope(SigType::HEAD, more, 4).has_value());
}

TEST_CASE("an envelope without a signature is refused") {
  Signed one;
  auto bytes = writeEnvelope(SigType::HEAD, nullptr, kj::arrayPtr(&one, 1));
  bytes[1 + nameOf(SigType::HEAD).size() + 4] = 0;
  auto none = bytes.slice(0, 1 + nameOf(SigType::HEAD).size() + 4 + 1);
  REQUIRE_FALSE(readEnvelope(SigType::HEAD, none, 4).has_value());
}

}  // namespace
}  // namespace hearth::crypto

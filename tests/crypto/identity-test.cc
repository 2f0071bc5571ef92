#include "crypto/identity/blob-keys.h"
#include "crypto/identity/bundle.h"
#include "crypto/identity/circle-keys.h"
#include "crypto/identity/display.h"
#include "crypto/identity/recovery.h"
#include "crypto/identity/shares.h"
#include "crypto/identity/storage-keys.h"
#include "crypto/identity/words.h"

#include <kj/exception.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>

namespace hearth::crypto {
namespace {

template <typename K>
K filled(kj::byte value) {
  return K::make([&](kj::ArrayPtr<kj::byte> out) {
    for (auto& b: out) b = value;
  });
}

DeviceKeys deviceKeys(kj::byte seed = 1) {
  return DeviceKeys::fromRootSeed(filled<RootSeed>(seed));
}

Bundle bundleOf(const DeviceKeys& keys) {
  return {Platform::LINUX, Bundle::EXECUTES, 1, keys.publics};
}

TEST_CASE("a bundle opens as it was sealed, in the sizes of the specification") {
  auto keys = deviceKeys();
  auto bundle = bundleOf(keys);
  auto envelope = bundle.seal(keys);
  REQUIRE(bundle.body().size() == Bundle::BODY_BYTES);
  REQUIRE(envelope.size() == Bundle::ENVELOPE_BYTES);
  REQUIRE(Bundle::open(envelope).value() == bundle);
  REQUIRE(bundle.id() == keys.id);
}

TEST_CASE("a bundle of another version or suite is refused by name") {
  for (size_t field: {0, 1}) {
    auto body = bundleOf(deviceKeys()).body();
    body[field] = 2;
    REQUIRE(Bundle::parse(body).error().code == Errc::BAD_VERSION);
  }
}

TEST_CASE("a bundle with an unknown platform, flag, reserved byte or version zero is refused") {
  struct Change {
    size_t at;
    kj::byte value;
  };
  for (auto change: {Change{2, 8}, Change{3, 1}, Change{4, 8}, Change{8, 0}}) {
    auto body = bundleOf(deviceKeys()).body();
    body[change.at] = change.value;
    REQUIRE(Bundle::parse(body).error().code == Errc::BAD_FORMAT);
  }
}

TEST_CASE("a bundle one byte short or long is refused") {
  auto body = bundleOf(deviceKeys()).body();
  REQUIRE(Bundle::parse(body.slice(0, body.size() - 1)).error().code == Errc::BAD_FORMAT);
  auto longer = kj::heapArray<kj::byte>(body.size() + 1);
  memcpy(longer.begin(), body.begin(), body.size());
  REQUIRE(Bundle::parse(longer).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("T10: a bundle changed after signing is refused") {
  auto keys = deviceKeys();
  auto envelope = bundleOf(keys).seal(keys);
  envelope[envelope.size() - 1] ^= 1;
  REQUIRE(Bundle::open(envelope).error().code == Errc::BAD_SIGNATURE);
}

TEST_CASE("T10: a device cannot sign another device's bundle") {
  REQUIRE_THROWS_AS(bundleOf(deviceKeys(1)).seal(deviceKeys(2)), kj::Exception);
}

TEST_CASE("the display form reads back, and one wrong character is noticed") {
  auto device = deviceKeys().id;
  auto text = display(device);
  REQUIRE(parseDisplay(text).value() == device);
  REQUIRE(text.startsWith(displayShort(device)));
  text.begin()[0] = text[0] == 'A' ? 'B' : 'A';
  REQUIRE(parseDisplay(text).error().code == Errc::BAD_MAC);
}

TEST_CASE("a display form of another length, alphabet or grouping is refused") {
  auto text = display(deviceKeys().id);
  REQUIRE(parseDisplay("A2JBT6B").error().code == Errc::BAD_LENGTH);
  auto lowercase = kj::str(text);
  lowercase.begin()[0] = 'a';
  REQUIRE(parseDisplay(lowercase).error().code == Errc::BAD_FORMAT);
  auto spaced = kj::str(text);
  spaced.begin()[7] = ' ';
  REQUIRE(parseDisplay(spaced).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("a link PSK is the same from both ends and another in the next epoch") {
  auto secret = filled<EpochSecret>(1);
  DeviceId a, b;
  b.bytes[0] = 1;
  EpochName first{}, next{};
  next.id.bytes[0] = 1;
  REQUIRE(linkPsk(secret, first, a, b).equals(linkPsk(secret, first, b, a)));
  REQUIRE_FALSE(linkPsk(secret, first, a, b).equals(linkPsk(secret, next, a, b)));
}

TEST_CASE("every database has a key of its own") {
  auto key = storageKey(filled<PlatformRoot>(1), DeviceId());
  REQUIRE_FALSE(databaseKey(key, "core").equals(databaseKey(key, "data")));
}

TEST_CASE("the word list is whole and in order") {
  REQUIRE(wordAt(0) == "abandon");
  REQUIRE(wordAt(WORD_COUNT - 1) == "zoo");
  for (size_t i = 0; i < WORD_COUNT; ++i) {
    REQUIRE(indexOfWord(wordAt(i)).orDefault(WORD_COUNT) == i);
    REQUIRE(wordAt(i).size() <= WORD_CHARACTERS_MAX);
  }
  REQUIRE(indexOfWord("zzz"_kj) == nullptr);
}

TEST_CASE("recovery words give the seed back, however they are spaced and capitalised") {
  auto seed = filled<RecoverySeed>(0x5a);
  auto words = recoveryWords(seed);
  REQUIRE(recoverySeed(words.reveal()).value().equals(seed));
  auto typed = kj::heapArray<kj::byte>(words.reveal());
  for (auto& c: typed) c = c == ' ' ? '\n' : static_cast<kj::byte>(c - ('a' - 'A'));
  REQUIRE(recoverySeed(typed).value().equals(seed));
}

TEST_CASE("recovery words with one missing, one too many, a stranger or two swapped are refused") {
  auto text = kj::strArray(kj::repeat("abandon"_kj, 23), " ");
  auto check = [](kj::StringPtr words) { return recoverySeed(words.asBytes()).error().code; };
  REQUIRE(check(text) == Errc::BAD_LENGTH);
  REQUIRE(check(kj::str(text, " art art")) == Errc::BAD_LENGTH);
  REQUIRE(check(kj::str(text, " artx")) == Errc::BAD_FORMAT);
  REQUIRE(check(kj::str(text, " abandonabandon")) == Errc::BAD_FORMAT);
  REQUIRE(check(kj::str(text, " abandon")) == Errc::BAD_MAC);
  REQUIRE(recoverySeed(kj::str(text, " art").asBytes()).has_value());
}

struct ThreeShares {
  RecoverySeed seed = filled<RecoverySeed>(0x5a);
  ShareSetId set;
  ShareCoefficients coefficients = filled<ShareCoefficients>(0xc3);

  Buffer share(uint8_t index) {
    return kj::heapArray(recoveryShare(seed, set, coefficients, index).reveal());
  }
};

TEST_CASE("any two of three shares give the recovery seed back") {
  ThreeShares three;
  for (uint8_t a = 1; a <= SHARE_COUNT; ++a) {
    for (uint8_t b = 1; b <= SHARE_COUNT; ++b) {
      auto combined = combineShares(three.share(a), three.share(b));
      REQUIRE(combined.has_value() == (a != b));
      REQUIRE((!combined || combined->equals(three.seed)));
    }
  }
}

TEST_CASE("a share of another set, version, length or index, or a changed one, is refused") {
  ThreeShares three;
  auto code = [&](Bytes second) { return combineShares(three.share(1), second).error().code; };
  auto changed = [&](size_t at) {
    auto share = three.share(2);
    share[at] ^= 4;
    return share;
  };
  REQUIRE(code(three.share(1)) == Errc::BAD_FORMAT);
  REQUIRE(code(changed(0)) == Errc::BAD_VERSION);
  REQUIRE(code(changed(1)) == Errc::BAD_VERSION);
  REQUIRE(code(changed(2)) == Errc::BAD_FORMAT);
  REQUIRE(code(changed(3)) == Errc::BAD_FORMAT);
  REQUIRE(code(changed(20)) == Errc::BAD_MAC);
  REQUIRE(code(changed(58)) == Errc::BAD_MAC);
  REQUIRE(code(three.share(2).slice(0, 58)) == Errc::BAD_LENGTH);
}

TEST_CASE("a wrapped data key of another length or blob is refused") {
  auto key = filled<CollectionKey>(1);
  auto dataKey = filled<DataKey>(2);
  BlobId blob, other;
  other.bytes[0] = 1;
  auto wrapped = wrapDataKey(key, blob, XChaChaPoly::Nonce(), dataKey);
  REQUIRE(wrapped.size() == WRAPPED_DATA_KEY_BYTES);
  REQUIRE(unwrapDataKey(key, blob, wrapped).value().equals(dataKey));
  REQUIRE(unwrapDataKey(key, other, wrapped).error().code == Errc::DECRYPT_FAILED);
  REQUIRE(unwrapDataKey(key, blob, wrapped.slice(0, 71)).error().code == Errc::BAD_LENGTH);
}

}  // namespace
}  // namespace hearth::crypto

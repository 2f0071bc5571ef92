#include "crypto/primitives/secret-stream.h"
#include "tests/crypto/seeded-entropy.h"

#include <catch2/catch_test_macros.hpp>
#include <sodium.h>
#include <vector>

namespace hearth::crypto {
namespace {

using TestKey = Key<struct SecretStreamTestTag>;

struct Sealed {
  TestKey key;
  SecretStream::Header header;
  std::vector<Buffer> messages;
};

Bytes numbered(const uint64_t& index) {
  return kj::arrayPtr(reinterpret_cast<const kj::byte*>(&index), sizeof(index));
}

// Message i is i bytes long.
Sealed sealed(size_t count) {
  SeededEntropy entropy(1);
  Sealed made{TestKey::draw(entropy), entropy.draw<SecretStream::Header>(), {}};
  SecretStream stream(made.key.reveal(), made.header);
  for (uint64_t i = 0; i < count; ++i) {
    auto plain = kj::heapArray<kj::byte>(i);
    memset(plain.begin(), static_cast<int>(i), i);
    auto out = kj::heapArray<kj::byte>(i + SecretStream::MORE_BYTES);
    stream.seal(numbered(i), plain, i + 1 == count, out);
    made.messages.push_back(kj::mv(out));
  }
  return made;
}

Result<bool> opened(SecretStream& stream, uint64_t index, Bytes message) {
  auto out = kj::heapArray<kj::byte>(message.size() - SecretStream::MORE_BYTES);
  auto result = stream.open(numbered(index), message, out);
  if (result) {
    for (auto byte: out) REQUIRE(byte == static_cast<kj::byte>(index));
  }
  return result;
}

TEST_CASE("a stream opens in its order, and the last message says so") {
  auto made = sealed(20);
  SecretStream stream(made.key.reveal(), made.header);
  for (size_t i = 0; i < 20; ++i) REQUIRE(opened(stream, i, made.messages[i]).value() == (i == 19));
}

TEST_CASE("libsodium's own reader opens what was sealed here") {
  auto made = sealed(5);
  crypto_secretstream_xchacha20poly1305_state state;
  crypto_secretstream_xchacha20poly1305_init_pull(
      &state, made.header.bytes, made.key.reveal().begin());
  for (uint64_t i = 0; i < 5; ++i) {
    kj::byte out[32], tag;
    auto& message = made.messages[i];
    REQUIRE(crypto_secretstream_xchacha20poly1305_pull(&state, out, nullptr, &tag, message.begin(),
                message.size(), numbered(i).begin(), sizeof(i)) == 0);
  }
}

TEST_CASE("a reader that has read the tags before it begins at any message") {
  auto made = sealed(40);
  SecretStream::Link links{};
  for (uint32_t i = 0; i < 40; ++i) {
    SecretStream stream(made.key.reveal(), made.header);
    stream.seek(i, links);
    REQUIRE(opened(stream, i, made.messages[i]).value() == (i == 39));
    if (i < 39) REQUIRE(opened(stream, i + 1, made.messages[i + 1]).has_value());
    SecretStream::add(links, SecretStream::linkOf(made.messages[i]));
  }
}

TEST_CASE("a reader goes back after the last message, which changes the key") {
  auto made = sealed(1);
  SecretStream stream(made.key.reveal(), made.header);
  REQUIRE(opened(stream, 0, made.messages[0]).value());
  stream.seek(0, {});
  REQUIRE(opened(stream, 0, made.messages[0]).value());
}

TEST_CASE("messages that are left out, moved or changed do not open") {
  auto made = sealed(4);
  auto refused = [&](size_t first, uint64_t claimed) {
    SecretStream stream(made.key.reveal(), made.header);
    return opened(stream, claimed, made.messages[first]).error().code == Errc::DECRYPT_FAILED;
  };
  REQUIRE(refused(1, 0));
  REQUIRE(refused(1, 1));
  made.messages[0][0] ^= 1;
  REQUIRE(refused(0, 0));
}

}  // namespace
}  // namespace hearth::crypto

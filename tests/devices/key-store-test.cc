#include "devices/node/private-file.h"
#include "tests/devices/home-in-memory.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::devices {
namespace {

const kj::Path ROOT_FILE({"keys", "platform-root"});

bool opensAs(LinuxKeyStore store, const crypto::PlatformRoot& root) {
  return store.platformRoot().equals(root);
}

kj::Array<kj::byte> fileOf(HomeInMemory& home) {
  return KJ_ASSERT_NONNULL(readPrivate(*home.directory, ROOT_FILE));
}

TEST_CASE("without a passphrase and a TPM the root is the file, and says so") {
  HomeInMemory home;
  auto& root = home.keys.platformRoot();
  REQUIRE(fileOf(home) == root.reveal());
  REQUIRE(home.keys.sealedBy() == RootSeal::NONE);
  REQUIRE(home.keys.describe().startsWith("a file readable by this user alone"));
  REQUIRE(opensAs(home.store(), root));
}

TEST_CASE("a passphrase that is chosen seals the root, and opens it after a wrong one") {
  HomeInMemory home;
  home.person.choices.push_back(kj::str("correct horse"));
  auto& root = home.keys.platformRoot();
  REQUIRE(home.keys.sealedBy() == RootSeal::PASSPHRASE);
  REQUIRE(fileOf(home).size() == 109);
  home.person.answers.push_back(kj::str("battery staple"));
  home.person.answers.push_back(kj::str("correct horse"));
  REQUIRE(opensAs(home.store(), root));
  REQUIRE(home.person.answers.empty());
}

TEST_CASE("a root whose passphrase nobody knows does not open") {
  HomeInMemory home;
  home.person.choices.push_back(kj::str("correct horse"));
  home.keys.platformRoot();
  home.person.answers.push_back(kj::str("correct hors"));
  auto again = home.store();
  REQUIRE_THROWS(again.platformRoot());
}

TEST_CASE("a root keeps its bytes when it is sealed anew") {
  HomeInMemory home;
  auto& root = home.keys.platformRoot();
  home.person.choices.push_back(kj::str("one"));
  REQUIRE(home.keys.reseal(RootSeal::PASSPHRASE).has_value());
  auto first = fileOf(home);
  home.person.choices.push_back(kj::str("two"));
  REQUIRE(home.keys.reseal(RootSeal::PASSPHRASE).has_value());
  REQUIRE(fileOf(home) != first);
  home.person.answers.push_back(kj::str("two"));
  REQUIRE(opensAs(home.store(), root));
  REQUIRE(home.keys.reseal(RootSeal::NONE).has_value());
  REQUIRE(opensAs(home.store(), root));
}

TEST_CASE("a seal that is not to be had leaves the old one") {
  HomeInMemory home;
  auto& root = home.keys.platformRoot();
  REQUIRE(home.keys.reseal(RootSeal::PASSPHRASE).error().code == Errc::POLICY_DENIED);
  REQUIRE(home.keys.reseal(RootSeal::TPM).error().code == Errc::POLICY_DENIED);
  REQUIRE(opensAs(home.store(), root));
}

TEST_CASE("a sealed root with any byte changed does not open") {
  HomeInMemory home;
  home.person.choices.push_back(kj::str("p"));
  home.keys.platformRoot();
  auto good = fileOf(home);
  // The magic and kind, salt, passes, nonce and box; a cost that differs costs another key.
  for (size_t at: {size_t{0}, size_t{4}, size_t{5}, size_t{21}, size_t{37}, size_t{108}}) {
    auto changed = kj::heapArray<kj::byte>(good);
    changed[at] ^= 2;
    home.write(ROOT_FILE, changed);
    home.person.answers.clear();
    home.person.answers.push_back(kj::str("p"));
    auto again = home.store();
    INFO("at " << at);
    REQUIRE_THROWS(again.platformRoot());
  }
}

TEST_CASE("a key file that would cost hours or all memory is refused before it is tried") {
  auto costing = [](uint64_t passes, uint64_t memoryBytes) {
    PassphraseRoot file{.cost = {passes, memoryBytes}, .box = kj::heapArray<kj::byte>(48)};
    return decodeRootFile(encode(RootFile(kj::mv(file))));
  };
  REQUIRE(costing(1, crypto::StretchCost::MEMORY_BYTES_MIN).has_value());
  REQUIRE(costing(0, crypto::StretchCost::MEMORY_BYTES_MIN).error().code == Errc::BAD_FORMAT);
  REQUIRE(costing(17, crypto::StretchCost::MEMORY_BYTES_MIN).error().code == Errc::BAD_FORMAT);
  REQUIRE(costing(1, crypto::StretchCost::MEMORY_BYTES_MIN - 1).error().code == Errc::BAD_FORMAT);
  REQUIRE(costing(1, crypto::StretchCost::MEMORY_BYTES_MAX + 1).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("the usual cost is libsodium's MODERATE") {
  auto cost = crypto::StretchCost::moderate();
  REQUIRE(cost.passes == 3);
  REQUIRE(cost.memoryBytes == 256 << 20);
  REQUIRE(cost.isBearable());
}

}  // namespace
}  // namespace hearth::devices

#include "devices/node/anchor.h"
#include "devices/node/freshness.h"
#include "devices/node/private-file.h"
#include "tests/crypto/seeded-entropy.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

namespace hearth::devices {
namespace {

TEST_CASE("what a device remembers of how new everything is reads back") {
  crypto::SeededEntropy entropy(1);
  Freshness fresh{.forgot = true, .heartbeat = 7, .silenceS = 8};
  fresh.quarantined = {entropy.draw<DeviceId>(), entropy.draw<DeviceId>()};
  auto bytes = fresh.encode();
  auto again = Freshness::decode(bytes).value();
  REQUIRE(again.forgot);
  REQUIRE(again.heartbeat == 7);
  REQUIRE(again.silenceS == 8);
  REQUIRE(again.quarantined == fresh.quarantined);
  REQUIRE_FALSE(Freshness::decode(bytes.slice(0, bytes.size() - 1)).has_value());
}

TEST_CASE("an anchor reads back, and one that was changed or is another device's is refused") {
  kj::Maybe<uint64_t> outside = GENERATE(kj::Maybe<uint64_t>(), kj::Maybe<uint64_t>(7));
  crypto::SeededEntropy entropy(1);
  auto home = kj::newInMemoryDirectory(kj::nullClock());
  auto key = crypto::StorageKey::draw(entropy), other = crypto::StorageKey::draw(entropy);
  REQUIRE(Anchor::read(*home, key).value() == nullptr);
  auto collections = GENERATE(0, 1, static_cast<int>(Anchor::COLLECTIONS_MAX));
  Anchor anchor{3, {12, entropy.draw<Digest>()}, {entropy.draw<DeviceId>(), {}}, outside};
  for (int i = 0; i < collections; ++i)
    anchor.entries.of[entropy.draw<crypto::CollectionId>()] = {5, entropy.draw<Digest>()};
  anchor.write(*home, key);
  auto found = Anchor::read(*home, key).value();
  auto& read = KJ_ASSERT_NONNULL(found);
  REQUIRE(read.counter == 3);
  REQUIRE(read.ops == anchor.ops);
  REQUIRE(read.outside == outside);
  REQUIRE(read.entries.of == anchor.entries.of);
  REQUIRE((collections == 0 || read.entries.author == anchor.entries.author));
  REQUIRE(Anchor::read(*home, other).error().code == Errc::INTEGRITY_FAILED);
  kj::Path path({"keys", "anchor"});
  auto bytes = KJ_ASSERT_NONNULL(readPrivate(*home, path));
  for (size_t i = 0; i < bytes.size(); i += 1 + bytes.size() / 200) {
    auto changed = kj::heapArray<kj::byte>(bytes);
    changed[i] ^= 1;
    writePrivate(*home, path, changed);
    REQUIRE_FALSE(Anchor::read(*home, key).has_value());
  }
}

}  // namespace
}  // namespace hearth::devices

#include "devices/node/identity.h"

#include "core/base/flat.h"
#include "crypto/primitives/aead.h"
#include "devices/node/private-file.h"

#include <kj/debug.h>

namespace hearth::devices {

namespace {

constexpr kj::StringPtr MAGIC = "HID2"_kj;
constexpr kj::StringPtr DATABASE_NAME = "hearth.db"_kj;
constexpr size_t SEALED_SEED_BYTES = 32 + 16;

kj::Path identityPath() { return kj::Path{"keys", "identity"}; }
kj::Path nextPath() { return kj::Path{"keys", "next"}; }

Identity identityOf(const crypto::RootSeed& seed, uint32_t flags, const DeviceId& homeId,
    crypto::StorageKey storage) {
  auto keys = crypto::DeviceKeys::fromRootSeed(seed);
  crypto::Bundle bundle{crypto::Platform::LINUX, flags, 1, keys.publics};
  auto database = crypto::databaseKey(storage, DATABASE_NAME);
  return {kj::mv(keys), kj::mv(bundle), homeId, kj::mv(storage), kj::mv(database)};
}

void writeSealed(const kj::Directory& home, kj::PathPtr path, const Identity& identity,
    const crypto::RootSeed& seed, Entropy& entropy) {
  auto nonce = entropy.draw<crypto::XChaChaPoly::Nonce>();
  FlatWriter out;
  out.bytes(MAGIC.asBytes()).u32(identity.bundle.flags);
  out.u8(static_cast<uint8_t>(identity.bundle.platform)).bytes(identity.keys.id.asBytes());
  out.bytes(identity.homeId.asBytes()).bytes(nonce.asBytes());
  auto head = out.finish();
  auto sealed = crypto::XChaChaPoly::seal(
      crypto::seedWrapKey(identity.storage).reveal(), nonce, head, seed.reveal());
  FlatWriter file;
  file.bytes(head).bytes(sealed);
  writePrivate(home, path, file.asBytes());
}

// `storage` gives the keys of a home by its id.
template <typename Storage>
Result<Identity> readSealed(crypto::Bytes bytes, Storage&& storage) {
  FlatReader in(bytes);
  if (in.bytes(MAGIC.size()) != MAGIC.asBytes()) in.refuse();
  auto flags = in.u32();
  in.u8();
  in.id<DeviceId>();
  auto homeId = in.id<DeviceId>();
  auto nonce = in.id<crypto::XChaChaPoly::Nonce>();
  auto sealed = in.bytes(SEALED_SEED_BYTES);
  if (auto whole = in.finish(); !whole) return no(Errc::BAD_FORMAT, "keys/identity is damaged");
  crypto::StorageKey key = storage(homeId);
  auto seed = crypto::XChaChaPoly::openSecret(crypto::seedWrapKey(key).reveal(), nonce,
      bytes.slice(0, bytes.size() - sealed.size()), sealed);
  if (!seed)
    return no(Errc::DECRYPT_FAILED, "keys/identity was sealed under another platform root");
  auto root = crypto::RootSeed::from(seed->reveal());
  if (!root) return no(root.error());
  return identityOf(*root, flags, homeId, kj::mv(key));
}

crypto::StorageKey copyOf(const crypto::StorageKey& key) {
  auto copy = crypto::StorageKey::from(key.reveal());
  KJ_ASSERT(copy.has_value());
  return kj::mv(*copy);
}

}  // namespace

Identity Identity::create(
    const kj::Directory& home, KeyStore& store, Entropy& entropy, uint32_t flags) {
  KJ_REQUIRE(!home.exists(identityPath()), "this device has an identity already");
  auto seed = crypto::RootSeed::draw(entropy);
  auto id = crypto::DeviceKeys::fromRootSeed(seed).id;
  auto identity = identityOf(seed, flags, id, crypto::storageKey(store.platformRoot(), id));
  writeSealed(home, identityPath(), identity, seed, entropy);
  return identity;
}

Result<kj::Maybe<Identity>> Identity::load(const kj::Directory& home, KeyStore& store) {
  KJ_IF_MAYBE(bytes, readPrivate(home, identityPath())) {
    auto read = readSealed(
        *bytes, [&](const DeviceId& id) { return crypto::storageKey(store.platformRoot(), id); });
    if (!read) return no(read.error());
    return kj::Maybe<Identity>(kj::mv(*read));
  }
  return kj::Maybe<Identity>();
}

Identity Identity::makeNext(const kj::Directory& home, Entropy& entropy) const {
  auto seed = crypto::RootSeed::draw(entropy);
  auto next = identityOf(seed, bundle.flags, homeId, copyOf(storage));
  writeSealed(home, nextPath(), next, seed, entropy);
  return next;
}

Result<kj::Maybe<Identity>> Identity::loadNext(const kj::Directory& home) const {
  KJ_IF_MAYBE(bytes, readPrivate(home, nextPath())) {
    auto read = readSealed(*bytes, [&](const DeviceId&) { return copyOf(storage); });
    if (!read) return no(read.error());
    return kj::Maybe<Identity>(kj::mv(*read));
  }
  return kj::Maybe<Identity>();
}

void Identity::adoptNext(const kj::Directory& home) {
  KJ_IF_MAYBE(bytes, readPrivate(home, nextPath())) writePrivate(home, identityPath(), *bytes);
  dropNext(home);
}

void Identity::dropNext(const kj::Directory& home) {
  home.tryRemove(nextPath());
  home.openSubdir(kj::Path{"keys"}, kj::WriteMode::MODIFY)->sync();
}

}  // namespace hearth::devices

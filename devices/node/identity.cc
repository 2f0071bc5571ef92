#include "devices/node/identity.h"

#include "core/base/flat.h"
#include "crypto/primitives/aead.h"
#include "devices/node/private-file.h"

#include <kj/debug.h>

namespace hearth::devices {

namespace {

constexpr kj::StringPtr MAGIC = "HID1"_kj;
constexpr kj::StringPtr DATABASE_NAME = "hearth.db"_kj;
constexpr size_t SEALED_SEED_BYTES = 32 + 16;

kj::Path identityPath() { return kj::Path{"keys", "identity"}; }

crypto::Buffer headOf(uint32_t flags, const DeviceId& id, const crypto::XChaChaPoly::Nonce& nonce) {
  FlatWriter out;
  out.bytes(MAGIC.asBytes()).u32(flags).u8(static_cast<uint8_t>(crypto::Platform::LINUX));
  out.bytes(id.asBytes()).bytes(nonce.asBytes());
  return out.finish();
}

Identity identityOf(const crypto::RootSeed& seed, uint32_t flags, KeyStore& store) {
  auto keys = crypto::DeviceKeys::fromRootSeed(seed);
  crypto::Bundle bundle{crypto::Platform::LINUX, flags, 1, keys.publics};
  auto database =
      crypto::databaseKey(crypto::storageKey(store.platformRoot(), keys.id), DATABASE_NAME);
  return {kj::mv(keys), kj::mv(bundle), kj::mv(database)};
}

crypto::SeedWrapKey wrapKey(KeyStore& store, const DeviceId& id) {
  return crypto::seedWrapKey(crypto::storageKey(store.platformRoot(), id));
}

}  // namespace

Identity Identity::create(
    const kj::Directory& home, KeyStore& store, Entropy& entropy, uint32_t flags) {
  KJ_REQUIRE(!home.exists(identityPath()), "this device has an identity already");
  auto seed = crypto::RootSeed::draw(entropy);
  auto identity = identityOf(seed, flags, store);
  crypto::XChaChaPoly::Nonce nonce;
  entropy.fill(nonce.bytes);
  FlatWriter file;
  auto head = headOf(flags, identity.keys.id, nonce);
  auto sealed = crypto::XChaChaPoly::seal(
      wrapKey(store, identity.keys.id).reveal(), nonce, head, seed.reveal());
  file.bytes(head).bytes(sealed);
  writePrivate(home, identityPath(), file.asBytes());
  return identity;
}

Result<kj::Maybe<Identity>> Identity::load(const kj::Directory& home, KeyStore& store) {
  auto content = readPrivate(home, identityPath());
  if (content == nullptr) return kj::Maybe<Identity>();
  auto& bytes = KJ_ASSERT_NONNULL(content);
  FlatReader in(bytes);
  if (in.bytes(MAGIC.size()) != MAGIC.asBytes()) in.refuse();
  auto flags = in.u32();
  in.u8();
  auto id = in.id<DeviceId>();
  auto nonce = in.id<crypto::XChaChaPoly::Nonce>();
  auto sealed = in.bytes(SEALED_SEED_BYTES);
  if (auto whole = in.finish(); !whole) return no(Errc::BAD_FORMAT, "keys/identity is damaged");
  auto seed = crypto::XChaChaPoly::openSecret(
      wrapKey(store, id).reveal(), nonce, bytes.slice(0, bytes.size() - sealed.size()), sealed);
  if (!seed)
    return no(Errc::DECRYPT_FAILED, "keys/identity was sealed under another platform root");
  auto root = crypto::RootSeed::from(seed->reveal());
  if (!root) return no(root.error());
  return kj::Maybe<Identity>(identityOf(*root, flags, store));
}

}  // namespace hearth::devices

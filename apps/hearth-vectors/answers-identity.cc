#include "apps/hearth-vectors/answers.h"
#include "crypto/identity/beacon.h"
#include "crypto/identity/blob-keys.h"
#include "crypto/identity/bundle.h"
#include "crypto/identity/circle-keys.h"
#include "crypto/identity/display.h"
#include "crypto/identity/recovery.h"
#include "crypto/identity/shares.h"
#include "crypto/identity/storage-keys.h"

namespace hearth::vectors {

namespace {

using namespace hearth::crypto;

Json deviceAnswer(const Json& in) {
  auto root = typed<RootSeed>(in.at("root_seed"));
  auto keys = DeviceKeys::fromRootSeed(root);
  Bundle bundle{static_cast<Platform>(in.at("platform").get<uint8_t>()),
      in.at("flags").get<uint32_t>(), in.at("bundle_version").get<uint32_t>(), keys.publics};
  auto envelope = bundle.seal(keys);
  auto opened = Bundle::open(envelope);
  if (!opened || *opened != bundle) return nullptr;
  return {{"ed_seed", hex(derive<SignSeed>(root.reveal(), "hearth/dev/ed/v1").reveal())},
      {"ed_pk", hex(keys.publics.ed.asBytes())}, {"x_sk", hex(keys.x.reveal())},
      {"x_pk", hex(keys.publics.x.asBytes())}, {"xw_sk", hex(keys.xw.reveal())},
      {"xw_pk", hex(keys.publics.xw.asBytes())}, {"device_id", hex(keys.id.asBytes())},
      {"bundle_body", hex(bundle.body())}, {"bundle_hash", hex(bundle.hash().asBytes())},
      {"bundle_envelope", hex(envelope)}};
}

Json displayAnswer(const Json& in) {
  auto device = typed<DeviceId>(in.at("device_id"));
  auto shown = display(device);
  if (parseDisplay(shown).value_or(DeviceId()) != device) return nullptr;
  return {{"display", shown.cStr()}, {"short", displayShort(device).cStr()}};
}

Json displayCheckAnswer(const Json& in) {
  return {{"ok", parseDisplay(text(in.at("display"))).has_value()}};
}

Json storageKeysAnswer(const Json& in) {
  auto dsk =
      storageKey(typed<PlatformRoot>(in.at("platform_root")), typed<DeviceId>(in.at("device_id")));
  return {{"dsk", hex(dsk.reveal())},
      {"db_key", hex(databaseKey(dsk, text(in.at("db_name"))).reveal())},
      {"seed_wrap", hex(seedWrapKey(dsk).reveal())}, {"anchor_key", hex(anchorKey(dsk).reveal())}};
}

Json circleKeysAnswer(const Json& in) {
  auto secret = typed<EpochSecret>(in.at("epoch_secret"));
  EpochName epoch{typed<CircleId>(in.at("circle_id")), typed<EpochId>(in.at("epoch_id"))};
  EpochName previous{epoch.circle, typed<EpochId>(in.at("prev_epoch_id"))};
  auto a = typed<DeviceId>(in.at("a")), b = typed<DeviceId>(in.at("b"));
  auto vault = typed<DeviceId>(in.at("vault"));
  auto collection = typed<CollectionId>(in.at("collection"));
  auto commit = epochCommit(epoch.circle, in.at("n").get<uint64_t>(), secret);
  auto vaultKey = vaultPsk(secret, epoch.circle, commit, vault);
  return {{"commit", hex(commit.asBytes())},
      {"link_psk", hex(linkPsk(secret, epoch, a, b).reveal())},
      {"vault_psk", hex(vaultKey.reveal())},
      {"link_psk_vault", hex(vaultLinkPsk(vaultKey, vault, a).reveal())},
      {"k_log", hex(logKey(secret, epoch).reveal())},
      {"k_coll", hex(collectionKey(secret, epoch, collection).reveal())},
      {"k_name", hex(blobNameKey(secret, epoch, collection).reveal())},
      {"k_back", hex(backKey(secret, previous).reveal())}};
}

Json recoveryAnswer(const Json& in) {
  auto seed = typed<RecoverySeed>(in.at("seed"));
  auto keys = RecoveryKeys::fromSeed(seed);
  auto words = recoveryWords(seed);
  auto shown = words.reveal().asChars();
  return {{"words", std::string(shown.begin(), shown.end())},
      {"rec_ed_seed", hex(derive<SignSeed>(seed.reveal(), "hearth/rec/ed/v1").reveal())},
      {"rec_ed_pk", hex(keys.edPk.asBytes())}, {"rec_xw_sk", hex(keys.xw.reveal())},
      {"rec_xw_pk", hex(keys.xwPk.asBytes())}, {"recovery_id", hex(keys.id.asBytes())}};
}

Json recoveryCheckAnswer(const Json& in) {
  auto seed = recoverySeed(text(in.at("words")).asBytes());
  if (!seed) return {{"ok", false}};
  return {{"ok", true}, {"seed", hex(seed->reveal())}};
}

Json sharesAnswer(const Json& in) {
  auto seed = typed<RecoverySeed>(in.at("seed"));
  auto set = typed<ShareSetId>(in.at("set_id"));
  auto coefficients = typed<ShareCoefficients>(in.at("coefficients"));
  Json shares = Json::array();
  for (uint8_t index = 1; index <= SHARE_COUNT; ++index) {
    shares.push_back(hex(recoveryShare(seed, set, coefficients, index).reveal()));
  }
  return {{"shares", shares}};
}

Json beaconAnswer(const Json& in) {
  auto secret = typed<EpochSecret>(in.at("epoch_secret"));
  EpochName epoch{typed<CircleId>(in.at("circle_id")), typed<EpochId>(in.at("epoch_id"))};
  auto device = typed<DeviceId>(in.at("device_id"));
  auto slot = beaconSlot(in.at("unix_s").get<uint64_t>());
  auto commit = epochCommit(epoch.circle, in.at("n").get<uint64_t>(), secret);
  auto beacon = in.at("vault").get<bool>()
      ? beaconOf(vaultPsk(secret, epoch.circle, commit, device), epoch, device, slot)
      : beaconOf(secret, epoch, device, slot);
  return {{"slot", slot}, {"beacon", hex(beacon.asBytes())}};
}

Json blobKeysAnswer(const Json& in) {
  auto secret = typed<EpochSecret>(in.at("epoch_secret"));
  EpochName epoch{typed<CircleId>(in.at("circle_id")), typed<EpochId>(in.at("epoch_id"))};
  auto collection = typed<CollectionId>(in.at("collection"));
  auto blob = typed<BlobId>(in.at("blob_id"));
  auto key = collectionKey(secret, epoch, collection);
  auto dataKey = typed<DataKey>(in.at("dek"));
  auto wrapped = wrapDataKey(key, blob, typed<XChaChaPoly::Nonce>(in.at("nonce")), dataKey);
  auto unwrapped = unwrapDataKey(key, blob, wrapped);
  if (!unwrapped || !unwrapped->equals(dataKey)) return nullptr;
  auto name =
      blobName(blobNameKey(secret, epoch, collection), typed<ContentId>(in.at("content_id")));
  return {{"name", hex(name.asBytes())}, {"wrapped", hex(wrapped)}};
}

constexpr AnswerKind KINDS[] = {
    {"device", &deviceAnswer},
    {"display", &displayAnswer},
    {"display_check", &displayCheckAnswer},
    {"storage_keys", &storageKeysAnswer},
    {"circle_keys", &circleKeysAnswer},
    {"recovery", &recoveryAnswer},
    {"recovery_check", &recoveryCheckAnswer},
    {"shares", &sharesAnswer},
    {"beacon", &beaconAnswer},
    {"blob_keys", &blobKeysAnswer},
};

}  // namespace

kj::ArrayPtr<const AnswerKind> identityAnswers() { return KINDS; }

}  // namespace hearth::vectors

#include "crypto/membership/payloads.h"

#include "core/base/flat.h"
#include "crypto/primitives/aead.h"
#include "crypto/primitives/hash.h"

#include <algorithm>

namespace hearth::crypto {

namespace {

constexpr size_t GRANTS_MAX = 255;
constexpr size_t SEALS_MAX = DEVICES_MAX + 1;  // the recovery key, too
constexpr size_t BOX_BYTES = 48;

std::vector<kj::byte> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }
Bytes view(const std::vector<kj::byte>& bytes) { return kj::arrayPtr(bytes.data(), bytes.size()); }

std::vector<kj::byte> finish(FlatWriter& out) { return copy(out.asBytes()); }

using SealKey = Key<struct SealKeyTag, 32>;

SealKey sealKey(const SealContext& context, const DeviceId& recipient, Sealed what,
    const XWing::Shared& shared) {
  kj::byte kind[] = {static_cast<kj::byte>(what)};
  return derive<SealKey>(shared.reveal(), "hearth/seal/v1",
      {context.circle.asBytes(), context.author.asBytes(), Little(context.seq).asBytes(),
          context.prevOwn.asBytes(), recipient.asBytes(), kind});
}

void write(FlatWriter& out, const Seal& seal) {
  out.bytes(seal.recipient.asBytes()).u8(static_cast<uint8_t>(seal.what));
  out.bytes(view(seal.ct)).bytes(view(seal.box));
}

Seal readSeal(FlatReader& in) {
  Seal seal;
  seal.recipient = in.id<DeviceId>();
  auto what = in.u8();
  seal.what = static_cast<Sealed>(what);
  if (what != 1 && what != 2) in.refuse();
  seal.ct = copy(in.bytes(XWing::CIPHERTEXT_BYTES));
  seal.box = copy(in.bytes(BOX_BYTES));
  return seal;
}

}  // namespace

Result<Seal> makeSeal(const SealContext& context, const DeviceId& recipient,
    const XWing::Public& pk, Sealed what, Bytes secret, const XWing::EncapsSeed& encaps) {
  auto encapsulated = XWing::encapsulate(pk, encaps);
  if (!encapsulated) return no(encapsulated.error());
  auto key = sealKey(context, recipient, what, encapsulated->shared);
  auto box = XChaChaPoly::seal(key.reveal(), {}, context.commit.asBytes(), secret);
  return Seal{recipient, what, copy(encapsulated->ciphertext), copy(box)};
}

Result<Secret> openSeal(const SealContext& context, const Seal& seal, const XWing::Secret& own) {
  auto shared = XWing::decapsulate(own, view(seal.ct));
  if (!shared) return no(shared.error());
  auto key = sealKey(context, seal.recipient, seal.what, *shared);
  return XChaChaPoly::openSecret(key.reveal(), {}, context.commit.asBytes(), view(seal.box));
}

std::vector<kj::byte> encode(const GenesisPayload& payload) {
  FlatWriter out;
  out.bytes(payload.recoveryEd.asBytes()).bytes(payload.recoveryXw.asBytes());
  out.var16(view(payload.bundleEnvelope)).bytes(payload.random.asBytes()).u8(payload.minSuite);
  return finish(out);
}

std::vector<kj::byte> encode(const AddPayload& payload) {
  FlatWriter out;
  out.var16(view(payload.bundleEnvelope)).u8(static_cast<uint8_t>(payload.role));
  out.var16(view(payload.joinEnvelope)).u8(static_cast<uint8_t>(payload.grants.size()));
  for (auto& grant: payload.grants) {
    out.bytes(grant.epoch.asBytes());
    write(out, grant.seal);
  }
  return finish(out);
}

std::vector<kj::byte> encode(const RemovePayload& payload) {
  FlatWriter out;
  out.bytes(payload.target.asBytes()).u8(static_cast<uint8_t>(payload.reason));
  out.u64(payload.lastSeq).bytes(payload.lastHash.asBytes());
  return finish(out);
}

std::vector<kj::byte> encode(const EpochPayload& payload) {
  FlatWriter out;
  out.u64(payload.n).bytes(payload.previous.asBytes()).bytes(payload.commit.asBytes());
  out.bytes(payload.prevWrapped).u16(static_cast<uint16_t>(payload.seals.size()));
  for (auto& seal: payload.seals) write(out, seal);
  return finish(out);
}

Result<GenesisPayload> decodeGenesis(Bytes bytes) {
  FlatReader in(bytes);
  GenesisPayload payload;
  payload.recoveryEd = in.id<SignPublic>();
  payload.recoveryXw = in.id<XWing::Public>();
  payload.bundleEnvelope = copy(in.var16());
  payload.random = in.id<Digest>();
  payload.minSuite = in.u8();
  if (auto whole = in.finish(); !whole) return no(whole.error());
  return payload;
}

Result<AddPayload> decodeAdd(Bytes bytes) {
  FlatReader in(bytes);
  AddPayload payload;
  payload.bundleEnvelope = copy(in.var16());
  auto role = in.u8();
  payload.role = static_cast<Role>(role);
  if (role < 1 || role > 3) in.refuse();
  payload.joinEnvelope = copy(in.var16());
  auto grants = in.count8(GRANTS_MAX, EpochId::SIZE + Seal::BYTES);
  for (size_t i = 0; i < grants; ++i) {
    auto epoch = in.id<EpochId>();
    payload.grants.push_back({epoch, readSeal(in)});
  }
  if (auto whole = in.finish(); !whole) return no(whole.error());
  return payload;
}

Result<RemovePayload> decodeRemove(Bytes bytes) {
  FlatReader in(bytes);
  RemovePayload payload;
  payload.target = in.id<DeviceId>();
  auto reason = in.u8();
  payload.reason = static_cast<RemoveReason>(reason);
  if (reason < 1 || reason > 4) in.refuse();
  payload.lastSeq = in.u64();
  payload.lastHash = in.id<OpHash>();
  if (auto whole = in.finish(); !whole) return no(whole.error());
  return payload;
}

Result<EpochPayload> decodeEpoch(Bytes bytes) {
  FlatReader in(bytes);
  EpochPayload payload;
  payload.n = in.u64();
  payload.previous = in.id<EpochId>();
  payload.commit = in.id<Digest>();
  auto wrapped = in.bytes(EpochPayload::PREV_WRAPPED_BYTES);
  std::ranges::copy(wrapped, payload.prevWrapped);
  auto seals = in.count16(SEALS_MAX, Seal::BYTES);
  for (size_t i = 0; i < seals; ++i) {
    payload.seals.push_back(readSeal(in));
    if (i > 0 && !(payload.seals[i - 1].recipient < payload.seals[i].recipient)) in.refuse();
  }
  if (auto whole = in.finish(); !whole) return no(whole.error());
  return payload;
}

}  // namespace hearth::crypto

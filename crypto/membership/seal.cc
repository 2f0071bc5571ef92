#include "crypto/membership/seal.h"

#include "crypto/primitives/aead.h"
#include "crypto/primitives/hash.h"

namespace hearth::crypto {

namespace {

std::vector<kj::byte> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }
Bytes view(const std::vector<kj::byte>& bytes) { return kj::arrayPtr(bytes.data(), bytes.size()); }

}  // namespace

SealKey sealKey(const SealContext& context, const DeviceId& recipient, Sealed what,
    const XWing::Shared& shared) {
  kj::byte kind[] = {static_cast<kj::byte>(what)};
  return derive<SealKey>(shared.reveal(), "hearth/seal/v1",
      {context.circle.asBytes(), context.author.asBytes(), Little(context.seq).asBytes(),
          context.prevOwn.asBytes(), recipient.asBytes(), kind});
}

void Seal::write(FlatWriter& out) const {
  out.bytes(recipient.asBytes()).u8(static_cast<uint8_t>(what)).bytes(view(ct)).bytes(view(box));
}

Seal Seal::read(FlatReader& in) {
  Seal seal;
  seal.recipient = in.id<DeviceId>();
  auto what = in.u8();
  seal.what = static_cast<Sealed>(what);
  if (what != 1 && what != 2) in.refuse();
  seal.ct = copy(in.bytes(XWing::CIPHERTEXT_BYTES));
  seal.box = copy(in.bytes(BOX_BYTES));
  return seal;
}

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

}  // namespace hearth::crypto

#include "devices/linux/root-file.h"

#include "core/base/flat.h"

namespace hearth::devices {

namespace {

constexpr kj::StringPtr MAGIC = "HPR1"_kj;
constexpr uint8_t BY_PASSPHRASE = 1, BY_TPM = 2;
constexpr size_t ROOT_BYTES = crypto::PlatformRoot::SIZE;
constexpr size_t BOX_BYTES = ROOT_BYTES + crypto::XChaChaPoly::TAG_BYTES;

FlatWriter headOf(const PassphraseRoot& file) {
  FlatWriter out;
  out.bytes(MAGIC.asBytes()).u8(BY_PASSPHRASE).bytes(file.salt.asBytes());
  out.u64(file.cost.passes).u64(file.cost.memoryBytes).bytes(file.nonce.asBytes());
  return out;
}

PassphraseRoot readPassphraseRoot(FlatReader& in) {
  PassphraseRoot file;
  file.salt = in.id<crypto::PassphraseSalt>();
  file.cost.passes = in.u64();
  file.cost.memoryBytes = in.u64();
  file.nonce = in.id<crypto::XChaChaPoly::Nonce>();
  file.box = kj::heapArray<kj::byte>(in.bytes(BOX_BYTES));
  if (!file.cost.isBearable()) in.refuse();
  return file;
}

}  // namespace

Result<PassphraseRoot> PassphraseRoot::seal(const crypto::PlatformRoot& root,
    const crypto::Secret& passphrase, crypto::StretchCost cost, Entropy& entropy) {
  PassphraseRoot file{.cost = cost};
  file.salt = entropy.draw<crypto::PassphraseSalt>();
  file.nonce = entropy.draw<crypto::XChaChaPoly::Nonce>();
  auto key = crypto::stretch(passphrase, file.salt, cost);
  if (!key) return no(key.error());
  file.box =
      crypto::XChaChaPoly::seal(key->reveal(), file.nonce, headOf(file).asBytes(), root.reveal());
  return file;
}

Result<crypto::Secret> PassphraseRoot::open(const crypto::Secret& passphrase) const {
  auto key = crypto::stretch(passphrase, salt, cost);
  if (!key) return no(key.error());
  return crypto::XChaChaPoly::openSecret(key->reveal(), nonce, headOf(*this).asBytes(), box);
}

kj::Array<kj::byte> encode(const RootFile& file) {
  KJ_SWITCH_ONEOF(file) {
    KJ_CASE_ONEOF(plain, PlainRoot) { return kj::heapArray<kj::byte>(plain.root.reveal()); }
    KJ_CASE_ONEOF(sealed, PassphraseRoot) { return headOf(sealed).bytes(sealed.box).finish(); }
    KJ_CASE_ONEOF(sealed, TpmRoot) {
      FlatWriter out;
      out.bytes(MAGIC.asBytes()).u8(BY_TPM).bytes(sealed.auth.reveal());
      return out.var16(sealed.sealed.publicPart).var16(sealed.sealed.privatePart).finish();
    }
  }
  KJ_UNREACHABLE;
}

Result<RootFile> decodeRootFile(crypto::Bytes bytes) {
  if (bytes.size() == ROOT_BYTES) return RootFile(PlainRoot{crypto::Secret::copyOf(bytes)});
  FlatReader in(bytes);
  if (in.bytes(MAGIC.size()) != MAGIC.asBytes()) in.refuse();
  auto kind = in.u8();
  RootFile file;
  if (kind == BY_PASSPHRASE) {
    file.init<PassphraseRoot>(readPassphraseRoot(in));
  } else if (kind == BY_TPM) {
    auto auth = TpmAuth::from(in.bytes(TpmAuth::SIZE));
    auto publicPart = kj::heapArray<kj::byte>(in.var16(TpmSealed::PART_BYTES_MAX));
    auto privatePart = kj::heapArray<kj::byte>(in.var16(TpmSealed::PART_BYTES_MAX));
    if (!auth) return no(Errc::BAD_FORMAT, "keys/platform-root is damaged");
    file.init<TpmRoot>(TpmRoot{kj::mv(*auth), {kj::mv(publicPart), kj::mv(privatePart)}});
  } else {
    in.refuse();
  }
  if (!in.finish()) return no(Errc::BAD_FORMAT, "keys/platform-root is damaged");
  return file;
}

}  // namespace hearth::devices

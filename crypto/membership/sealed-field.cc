#include "crypto/membership/sealed-field.h"

#include "core/base/flat.h"
#include "core/base/printable.h"

namespace hearth::crypto {

namespace {

constexpr size_t HEAD_BYTES = EpochId::SIZE + XChaChaPoly::Nonce::SIZE;

Buffer aadOf(const FieldPlace& place) {
  FlatWriter out;
  out.bytes("hearth/sealed-field/v1"_kj.asBytes()).bytes(place.circle.asBytes());
  out.bytes(place.author.asBytes()).u64(place.seq);
  return out.finish();
}

kj::String textOf(Bytes bytes) { return kj::heapString(bytes.asChars()); }

}  // namespace

bool isName(kj::StringPtr text) {
  return text.size() <= DeviceNames::NAME_BYTES_MAX && isPrintable(text);
}

Buffer sealField(const FieldPlace& place, const EpochId& epoch, const EpochSecret& secret,
    const XChaChaPoly::Nonce& nonce, Bytes plain) {
  auto key = logKey(secret, {place.circle, epoch});
  FlatWriter out;
  out.bytes(epoch.asBytes()).bytes(nonce.asBytes());
  out.bytes(XChaChaPoly::seal(key.reveal(), nonce, aadOf(place), plain));
  return out.finish();
}

Result<EpochId> epochOfField(Bytes sealed) {
  if (sealed.size() < HEAD_BYTES + XChaChaPoly::TAG_BYTES)
    return no(Errc::BAD_FORMAT, "a sealed field that is too short");
  return EpochId::from(sealed.slice(0, EpochId::SIZE));
}

Result<Buffer> openField(const FieldPlace& place, const EpochSecret& secret, Bytes sealed) {
  auto epoch = epochOfField(sealed);
  if (!epoch) return no(epoch.error());
  auto nonce = XChaChaPoly::Nonce::from(sealed.slice(EpochId::SIZE, HEAD_BYTES));
  auto key = logKey(secret, {place.circle, *epoch});
  return XChaChaPoly::open(
      key.reveal(), *nonce, aadOf(place), sealed.slice(HEAD_BYTES, sealed.size()));
}

Buffer DeviceNames::encode() const {
  FlatWriter out;
  out.var8(name.asBytes()).var8(model.asBytes()).u8(icon);
  return out.finish();
}

Result<DeviceNames> DeviceNames::decode(Bytes plain) {
  FlatReader in(plain);
  DeviceNames names;
  names.name = textOf(in.var8());
  names.model = textOf(in.var8());
  names.icon = in.u8();
  if (names.name.size() == 0 || !isName(names.name) || !isName(names.model)) in.refuse();
  if (auto whole = in.finish(); !whole) return no(whole.error());
  return names;
}

}  // namespace hearth::crypto

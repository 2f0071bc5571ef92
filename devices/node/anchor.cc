#include "devices/node/anchor.h"

#include "core/base/flat.h"
#include "crypto/primitives/hash.h"
#include "devices/node/private-file.h"

namespace hearth::devices {

namespace {

constexpr uint8_t VERSION = 1;
constexpr kj::StringPtr TABLE = "ops"_kj;

kj::Path anchorPath() { return kj::Path{"keys", "anchor"}; }

crypto::Mac16 macOf(const crypto::StorageKey& key, crypto::Bytes body) {
  return crypto::mac16(crypto::anchorKey(key).reveal(), "hearth/anchor-mac/v1", {body});
}

}  // namespace

void Anchor::write(const kj::Directory& home, const crypto::StorageKey& key) const {
  FlatWriter out;
  out.u8(VERSION).u64(counter).u8(1);
  out.var8(TABLE.asBytes()).u64(rows).bytes(hash.asBytes());
  auto body = out.finish();
  FlatWriter file;
  file.bytes(body).bytes(macOf(key, body).asBytes());
  writePrivate(home, anchorPath(), file.asBytes());
}

Result<kj::Maybe<Anchor>> Anchor::read(const kj::Directory& home, const crypto::StorageKey& key) {
  KJ_IF_MAYBE(bytes, readPrivate(home, anchorPath())) {
    FlatReader in(*bytes);
    if (in.u8() != VERSION) in.refuse();
    Anchor anchor{.counter = in.u64()};
    if (in.u8() != 1 || in.var8() != TABLE.asBytes()) in.refuse();
    anchor.rows = in.u64();
    anchor.hash = in.id<Digest>();
    auto mac = in.id<crypto::Mac16>();
    bool whole = in.finish().has_value();
    auto body = bytes->slice(0, bytes->size() - kj::min(bytes->size(), crypto::Mac16::SIZE));
    if (!whole || !crypto::equalSecrets(mac.asBytes(), macOf(key, body).asBytes()))
      return no(Errc::INTEGRITY_FAILED, "keys/anchor is damaged: remove it, and start again");
    return kj::Maybe<Anchor>(anchor);
  }
  return kj::Maybe<Anchor>();
}

}  // namespace hearth::devices

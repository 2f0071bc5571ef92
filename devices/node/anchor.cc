#include "devices/node/anchor.h"

#include "core/base/flat.h"
#include "crypto/primitives/hash.h"
#include "devices/node/private-file.h"

namespace hearth::devices {

namespace {

constexpr uint8_t VERSION = 1;
constexpr kj::StringPtr OPS = "ops"_kj, COUNTER = "counter"_kj;

kj::Path anchorPath() { return kj::Path{"keys", "anchor"}; }

crypto::Mac16 macOf(const crypto::StorageKey& key, crypto::Bytes body) {
  return crypto::mac16(crypto::anchorKey(key).reveal(), "hearth/anchor-mac/v1", {body});
}

void put(FlatWriter& out, kj::StringPtr table, const AnchorPoint& point) {
  out.var8(table.asBytes()).u64(point.rows).bytes(point.hash.asBytes());
}

AnchorPoint take(FlatReader& in, kj::StringPtr table) {
  if (in.var8() != table.asBytes()) in.refuse();
  AnchorPoint point{.rows = in.u64()};
  point.hash = in.id<Digest>();
  return point;
}

}  // namespace

void Anchor::write(const kj::Directory& home, const crypto::StorageKey& key) const {
  FlatWriter out;
  out.u8(VERSION).u64(counter).u8(outside == nullptr ? 1 : 2);
  put(out, OPS, ops);
  KJ_IF_MAYBE(stands, outside) put(out, COUNTER, {*stands, Digest()});
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
    auto tables = in.u8();
    if (tables < 1 || tables > 2) in.refuse();
    anchor.ops = take(in, OPS);
    if (tables == 2) anchor.outside = take(in, COUNTER).rows;
    auto mac = in.id<crypto::Mac16>();
    bool whole = in.finish().has_value();
    auto body = bytes->slice(0, bytes->size() - kj::min(bytes->size(), crypto::Mac16::SIZE));
    if (!whole || !crypto::equalSecrets(mac.asBytes(), macOf(key, body).asBytes()))
      return no(Errc::INTEGRITY_FAILED, "keys/anchor is damaged: remove it, and start again");
    return kj::Maybe<Anchor>(anchor);
  }
  return kj::Maybe<Anchor>();
}

Digest counterTag(const crypto::StorageKey& key) {
  return crypto::hash("hearth/counter-tag/v1", {crypto::anchorKey(key).reveal()});
}

}  // namespace hearth::devices

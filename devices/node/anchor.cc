#include "devices/node/anchor.h"

#include "core/base/flat.h"
#include "crypto/primitives/hash.h"
#include "devices/node/private-file.h"

#include <kj/debug.h>

namespace hearth::devices {

namespace {

constexpr uint8_t VERSION = 1;
constexpr kj::StringPtr OPS = "ops"_kj, COUNTER = "counter"_kj;

kj::Path anchorPath() { return kj::Path{"keys", "anchor"}; }

crypto::Mac16 macOf(const crypto::StorageKey& key, crypto::Bytes body) {
  return crypto::mac16(crypto::anchorKey(key).reveal(), "hearth/anchor-mac/v1", {body});
}

void put(FlatWriter& out, crypto::Bytes table, const AnchorPoint& point) {
  out.var8(table).u64(point.rows).bytes(point.hash.asBytes());
}

AnchorPoint takePoint(FlatReader& in) {
  AnchorPoint point{.rows = in.u64()};
  point.hash = in.id<Digest>();
  return point;
}

// Of one author, each collection behind the one before it.
void takeEntries(FlatReader& in, crypto::Bytes table, Anchor::Entries& entries) {
  FlatReader name(table);
  auto author = name.id<DeviceId>();
  auto collection = name.id<crypto::CollectionId>();
  auto& of = entries.of;
  bool follows = of.empty() || (author == entries.author && of.rbegin()->first < collection);
  if (!name.finish() || !follows) return in.refuse();
  entries.author = author;
  of[collection] = takePoint(in);
}

}  // namespace

void Anchor::write(const kj::Directory& home, const crypto::StorageKey& key) const {
  KJ_REQUIRE(entries.of.size() <= COLLECTIONS_MAX);
  FlatWriter out;
  out.u8(VERSION).u64(counter);
  out.u8(static_cast<uint8_t>(1 + (outside == nullptr ? 0 : 1) + entries.of.size()));
  put(out, OPS.asBytes(), ops);
  KJ_IF_MAYBE(stands, outside) put(out, COUNTER.asBytes(), {*stands, Digest()});
  for (auto& [collection, point]: entries.of) {
    FlatWriter table;
    table.bytes(entries.author.asBytes()).bytes(collection.asBytes());
    put(out, table.asBytes(), point);
  }
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
    if (in.var8() != OPS.asBytes()) in.refuse();
    anchor.ops = takePoint(in);
    for (int i = 1; i < tables && in.good(); ++i) {
      auto table = in.var8();
      if (i == 1 && table == COUNTER.asBytes()) {
        anchor.outside = takePoint(in).rows;
      } else {
        takeEntries(in, table, anchor.entries);
      }
    }
    if (anchor.entries.of.size() > COLLECTIONS_MAX) in.refuse();
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

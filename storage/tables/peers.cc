#include "storage/tables/peers.h"

#include "core/base/flat.h"

#include <kj/debug.h>

namespace hearth::storage::peers {

namespace {

kj::StringPtr view(const std::string& text) { return kj::StringPtr(text.c_str(), text.size()); }

// list8<var8 address>
crypto::Buffer encode(const std::vector<std::string>& addresses) {
  std::vector<kj::StringPtr> kept;
  for (auto& address: addresses) {
    if (kept.size() == PeerRow::ADDRESSES_MAX) break;
    if (address.size() <= PeerRow::ADDRESS_BYTES_MAX) kept.push_back(view(address));
  }
  FlatWriter out;
  out.u8(static_cast<uint8_t>(kept.size()));
  for (auto address: kept) out.var8(address.asBytes());
  return out.finish();
}

std::vector<std::string> decode(crypto::Bytes stored) {
  FlatReader in(stored);
  std::vector<std::string> addresses(in.count8(PeerRow::ADDRESSES_MAX, 1));
  for (auto& address: addresses) {
    auto bytes = in.var8();
    address.assign(bytes.asChars().begin(), bytes.size());
  }
  KJ_ASSERT(in.finish().has_value());
  return addresses;
}

}  // namespace

void put(Database& db, const PeerRow& row) {
  db.run("INSERT OR REPLACE INTO peers VALUES (?1, ?2, ?3, ?4, ?5)", row.device.asBytes(),
      view(row.name), view(row.deviceClass), encode(row.addresses).asPtr(), row.seenMs);
}

std::vector<PeerRow> all(Database& db) {
  std::vector<PeerRow> rows;
  auto select =
      db.query("SELECT device, name, class, addresses, seen_ms FROM peers ORDER BY device");
  while (select.step()) {
    rows.push_back({DeviceId::from(select.blob(0)).value(), select.text(1).cStr(),
        select.text(2).cStr(), decode(select.blob(3)), select.number(4)});
  }
  return rows;
}

}  // namespace hearth::storage::peers

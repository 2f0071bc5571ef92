#include "storage/tables/peers.h"

#include <sstream>

namespace hearth::storage::peers {

void put(Database& database, const PeerRow& row) {
  // Addresses hold no white space, so one column holds them all.
  std::string addresses;
  for (auto& address: row.addresses) addresses += (addresses.empty() ? "" : " ") + address;
  Statement(database,
      "INSERT OR REPLACE INTO peers (device, name, class, addresses, seen_ms) "
      "VALUES (?, ?, ?, ?, ?)")
      .bind(row.device.asBytes())
      .bind(kj::StringPtr(row.name.c_str()))
      .bind(kj::StringPtr(row.deviceClass.c_str()))
      .bind(kj::StringPtr(addresses.c_str()))
      .bind(row.seenMs)
      .run();
}

std::vector<PeerRow> all(Database& database) {
  Statement statement(database, "SELECT device, name, class, addresses, seen_ms FROM peers");
  std::vector<PeerRow> rows;
  while (statement.step()) {
    auto device = DeviceId::from(statement.blob(0));
    if (!device) continue;
    PeerRow row{*device, statement.text(1).cStr(), statement.text(2).cStr()};
    std::istringstream addresses(statement.text(3).cStr());
    for (std::string address; addresses >> address;) row.addresses.push_back(address);
    row.seenMs = statement.integer(4);
    rows.push_back(kj::mv(row));
  }
  return rows;
}

}  // namespace hearth::storage::peers

#pragma once
// People who put blobs at a home with a VAULT, and somebody who has the VAULT's disk.

#include "devices/vault/vaults.h"
#include "tests/simulator/put-blob.h"
#include "tests/simulator/vault-home.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {

struct VaultBlobs: VaultHome {
  devices::Blobs& blobs(Device& device) { return data(device).blobs(); }

  Result<void> put(Device& device, std::string name, crypto::Bytes bytes) {
    return await(putBlob(blobs(device), kj::mv(name), kj::heapArray<kj::byte>(bytes)));
  }
  storage::BlobRef refOf(Device& device, std::string name) {
    return await(blobs(device).find(kj::mv(name))).value().ref;
  }
  Result<void> get(Device& device, const storage::BlobRef& ref) {
    return await(blobs(device).fetch(ref), 120 * kj::SECONDS);
  }
  crypto::Buffer read(Device& device, const storage::BlobRef& ref) {
    auto all = kj::heapArray<kj::byte>(ref.top.length);
    for (size_t at = 0; at < all.size(); at += BLOB_PIECE_BYTES) {
      auto size = kj::min(BLOB_PIECE_BYTES, all.size() - at);
      auto piece = await(blobs(device).read(ref, at, size)).value();
      memcpy(all.begin() + at, piece.begin(), size);
    }
    return all;
  }

  // What the VAULT says of itself, and what members say of it.
  storage::vault_shelves::Usage held() { return await(data(vault).vaults().usage(idOf(vault))); }
  storage::vault_shelves::Usage said(Device& by) {
    return await(data(by).vaults().usage(idOf(vault)));
  }
  static DeviceId idOf(Device& device) { return KJ_ASSERT_NONNULL(device.id()); }

  // The phone has put it on the VAULT, the laptop knows of it, and the phone is gone.
  storage::BlobRef onlyOnVault(std::string name, crypto::Bytes bytes) {
    REQUIRE(put(phone, name, bytes).has_value());
    run(60 * kj::SECONDS);
    auto ref = refOf(laptop, name);
    leave(phone);
    run(5 * kj::SECONDS);
    return ref;
  }

  // Somebody at the VAULT's disk.
  std::vector<std::string> filesOfVault() {
    std::vector<std::string> names;
    for (auto& [name, content]: vault.disk.contents())
      if (name.starts_with("vault/")) names.push_back(name);
    return names;
  }
  template <typename F>
  void meddle(F f) {
    await(vault.process().database().write([f](storage::Database& db) {
      f(db);
      db.run("DELETE FROM vault_buckets");  // it makes its roots fit
      db.run("UPDATE vault_shelves SET count = (SELECT count(*) FROM vault_items AS t WHERE"
             " t.shelf = vault_shelves.i)");
      return true;
    }));
  }
  static std::vector<std::string> alarms(Device& device) {
    return KJ_ASSERT_NONNULL(device.node()).alarms();
  }
  const devices::VaultFaults& faults(Device& device) { return data(device).vaults().faults(); }
};

}  // namespace hearth::sim

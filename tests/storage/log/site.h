#pragma once
// A device with its disk, its keys and its operation log, for tests: several of them are a circle.

#include "core/loop/uv-event-port.h"
#include "crypto/identity/device-keys.h"
#include "simulator/disk/sim-disk.h"
#include "storage/documents/documents.h"
#include "tests/storage/home.h"

#include <kj/debug.h>

namespace hearth::storage {

inline crypto::DeviceKeys deviceKeys(kj::byte fill) {
  return crypto::DeviceKeys::fromRootSeed(crypto::RootSeed::make(
      [fill](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), fill, out.size()); }));
}

// Everybody's keys, as a circle's log would have them.
struct Village {
  std::map<DeviceId, crypto::SignPublic> signers;
  CircleId circle;
  EpochId epoch;
};

class Villager final: public Log::Circle {
 public:
  Villager(Village& village, kj::byte number): village(village), keys(deviceKeys(number)) {
    village.signers[keys.id] = keys.publics.ed;
  }

  bool canRead = true, canWrite = true;

  const DeviceId& self() const override { return keys.id; }
  const crypto::SignSecret& signSecret() const override { return keys.ed; }
  kj::Maybe<crypto::SignPublic> signerOf(const DeviceId& author) const override {
    auto found = village.signers.find(author);
    if (found == village.signers.end()) return nullptr;
    return found->second;
  }
  kj::Maybe<EpochId> epochToWriteIn() const override {
    if (!canRead || !canWrite) return nullptr;
    return village.epoch;
  }
  kj::Maybe<crypto::CollectionKey> keyOf(
      const EpochId& of, const crypto::CollectionId& collection) const override {
    if (!canRead) return nullptr;
    auto secret = crypto::EpochSecret::make(
        [](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), 7, out.size()); });
    return crypto::collectionKey(secret, {village.circle, of}, collection);
  }

 private:
  Village& village;
  crypto::DeviceKeys keys;
};

class SetClock final: public kj::Clock {
 public:
  kj::Date at = kj::UNIX_EPOCH + 20'000 * kj::DAYS;
  kj::Date now() const override { return at; }
};

// What of a device outlives its process.
struct Lot {
  Village& village;
  Villager who;
  sim::SimDisk disk;
  SetClock clock;

  Lot(Village& village, kj::byte number)
      : village(village),
        who(village, number),
        disk(sim::Chance(number)) {}
};

// A process on it, from its start to its end.
struct Site {
  Lot& lot;
  Home home{lot.disk.directory()};
  InlineExecutor executor;
  kj::Own<Store> store = kj::heap<Store>(executor, home.open());
  Log log{{lot.clock, home.entropy, *store, lot.who}};
  Documents documents{{lot.clock, *store, log, lot.who}};

  Site(Lot& lot, kj::WaitScope& scope): lot(lot) {
    auto loaded = log.load().wait(scope);
    KJ_REQUIRE(loaded.has_value(), "the log did not load", loaded.error().because);
  }

  std::vector<crypto::Buffer> envelopes(
      const crypto::CollectionId& collection, kj::WaitScope& scope) {
    auto& items = log.items(collection);
    std::vector<ItemName> names;
    for (size_t i = 0; i < items.size(); ++i) names.push_back(items.at(i));
    return store
        ->read([&](Database& db) {
          return entries::envelopes(
              db, collection, kj::arrayPtr(names.data(), names.size()), 1 << 30);
        })
        .wait(scope);
  }

  // Takes all that another one has, oldest first.
  void takeAllOf(Site& other, kj::WaitScope& scope) {
    for (auto& id: other.log.collections())
      for (auto& envelope: other.envelopes(id, scope)) {
        auto taken = log.take(kj::mv(envelope), other.lot.who.self()).wait(scope);
        KJ_REQUIRE(taken.has_value(), "an entry was refused", taken.error().because);
      }
  }
};

// Two of them, in one circle.
struct TwoSites {
  UvLoop uv;
  Village village;
  Lot annas{village, 1}, bens{village, 2};
  kj::Own<Site> anna = kj::heap<Site>(annas, uv.waitScope);
  kj::Own<Site> ben = kj::heap<Site>(bens, uv.waitScope);

  void restart(kj::Own<Site>& site) {
    auto& lot = site->lot;
    site = nullptr;
    site = kj::heap<Site>(lot, uv.waitScope);
  }
};

}  // namespace hearth::storage

#include "devices/vault/vault-log.h"

#include <kj/debug.h>

#include <utility>

namespace hearth::devices {

namespace shelves = storage::vault_shelves;

using storage::Database;
using storage::ShelfChange;
using storage::vaultsCollection;

namespace {
constexpr size_t FOLDED_BYTES = 1 << 20;  // of entries, in one transaction
}

void VaultLog::stored(const storage::Log::Stored& entry) {
  if (entry.head.collection != vaultsCollection() || entry.content == nullptr) return;
  if (entry.from.isZero()) back = kj::min(entry.place - 1, back.orDefault(entry.place - 1));
  if (std::exchange(isToFold, true)) return;
  following = fold().eagerlyEvaluate([](kj::Exception&& e) {
    KJ_LOG(WARNING, "what lies on VAULTs is not known yet", e.getDescription());
  });
}

// One after another.
kj::Promise<void> VaultLog::fold() {
  auto next = folding.addBranch()
                  .catch_([](kj::Exception&&) {})
                  .then([this]() { return foldNow(); })
                  .fork();
  auto mine = next.addBranch();
  folding = kj::mv(next);
  return mine;
}

kj::Promise<void> VaultLog::foldNow() {
  isToFold = false;
  KJ_IF_MAYBE(place, std::exchange(back, nullptr)) {
    co_await store.write([place = *place](Database& db) {
      shelves::setAppliedUpto(db, kj::min(place, shelves::appliedUpto(db)));
    });
  }
  for (;;) {
    auto placed = co_await store.read([](Database& db) {
      return storage::entries::ofTopic(
          db, vaultsCollection(), ShelfChange::TOPIC, shelves::appliedUpto(db), FOLDED_BYTES);
    });
    if (placed.empty()) co_return;
    auto upto = placed.back().place;
    std::vector<std::pair<DeviceId, ShelfChange>> changes;
    for (auto& each: placed) {
      auto entry = storage::Entry::read(kj::mv(each.envelope));
      if (!entry) continue;
      auto content = log.contentOf(*entry);
      KJ_IF_MAYBE(there, content) {
        auto change = ShelfChange::parse(there->bytes);
        if (there->label.kind == ShelfChange::ENTRY_KIND && change)
          changes.emplace_back(entry->head.author, kj::mv(*change));
      }
    }
    co_await store.write([changes = kj::mv(changes), upto](Database& db) {
      for (auto& [writer, change]: changes) shelves::apply(db, writer, change);
      shelves::setAppliedUpto(db, upto);
    });
    changed();
  }
}

kj::Promise<Result<void>> VaultLog::say(DeviceId self, DeviceId vault,
    crypto::CollectionId collection, std::vector<ShelfChange::Put> put,
    std::vector<storage::BlobName> dropped) {
  ShelfChange change{vault, collection, 0, {}, kj::mv(put), kj::mv(dropped)};
  auto rooted = co_await store.write([self, change](Database& db) {
    return shelves::root(db, {change.vault, {self, change.collection}}, change.put, change.dropped);
  });
  change.items = rooted.items;
  change.root = rooted.root;
  storage::Content content{
      {ShelfChange::ENTRY_KIND, 0, ShelfChange::TOPIC.cStr()}, change.encode()};
  auto said = co_await log.append(vaultsCollection(), kj::mv(content));
  if (!said) co_return no(said.error());
  co_await fold();
  co_return Result<void>();
}

}  // namespace hearth::devices

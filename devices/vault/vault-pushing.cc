#include "devices/vault/vault-pushing.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::devices {

namespace owed = storage::vault_owed;

using crypto::CollectionId;
using storage::Database;
using storage::vault::Whose;

kj::Promise<void> VaultPushing::run() {
  while (!client->isClosed()) {
    // Before it is looked what is owed: nothing that comes meanwhile is missed.
    auto change = around.store.changed();
    auto begun = around.timer.now();
    kj::Maybe<kj::Duration> again;
    try {
      full = hasPut = false;
      co_await pass();
      if (full || !left.empty()) again = AGAIN_AFTER;
    } catch (const kj::Exception& e) {
      if (client->isClosed()) co_return;
      KJ_LOG(WARNING, "what is here is not on the VAULT yet", e.getDescription());
      again = AGAIN_AFTER;
    }
    auto took = around.timer.now() - begun;
    KJ_IF_MAYBE(time, again) change = change.exclusiveJoin(around.timer.afterDelay(*time));
    co_await change;
    co_await around.timer.afterDelay(hasPut ? QUIET_FOR : QUIET_FOR + took * RESTS);
  }
}

kj::Promise<void> VaultPushing::pass() {
  if (around.circle.keysToWriteWith(namedBlobs()) == nullptr) co_return;
  co_await passOver(owed::blobs);
  co_await passOver(owed::files);
  co_await dropRemoved();
  if (around.timer.now() < tidiesAt) co_return;
  tidiesAt = around.timer.now() + TIDIES_EVERY;
  co_await dropUseless();
}

kj::Promise<void> VaultPushing::dropRemoved() {
  auto removed = co_await around.blobs.removed();
  if (removed.empty()) co_return;
  storage::vault_shelves::Shelf shelf{vault, {around.self, namedBlobs()}};
  auto names = co_await around.store.read([shelf, removed = kj::mv(removed)](Database& db) {
    std::vector<storage::BlobName> names;
    for (auto& content: removed) {
      for (auto& copy: storage::vault_shelves::copiesOf(db, content))
        if (copy.shelf == shelf && names.size() < storage::VAULT_NAMES_MAX)
          names.push_back(copy.item.name);
    }
    return names;
  });
  co_await takeAway(namedBlobs(), kj::mv(names));
}

kj::Promise<void> VaultPushing::dropUseless() {
  auto shelves = co_await around.store.read(
      [vault = vault](Database& db) { return storage::vault_shelves::shelvesOf(db, vault); });
  for (auto& shelf: shelves) {
    if (shelf.name.writer != around.self) continue;
    auto names = co_await around.store.read(
        [shelf](Database& db) { return owed::useless(db, shelf, storage::VAULT_NAMES_MAX); });
    co_await takeAway(shelf.name.collection, kj::mv(names));
  }
}

// It is said first: what is said to be there must be.
kj::Promise<void> VaultPushing::takeAway(
    CollectionId collection, std::vector<storage::BlobName> names) {
  if (names.empty()) co_return;
  auto said = co_await around.log.say(around.self, vault, collection, {}, names);
  if (said) co_await client->drop(collection, kj::mv(names));
}

kj::Promise<void> VaultPushing::passOver(Source source) {
  ContentId after;
  while (!full) {
    auto batch = co_await around.store.read([source, vault = vault, after](Database& db) {
      return source(db, vault, after, BATCH_MAX);
    });
    if (batch.empty()) co_return;
    uint64_t bytes = 0;
    auto end = std::ranges::find_if(batch, [&](auto& each) {
      bool isEnough = bytes >= BATCH_BYTES_MAX;
      bytes += each.ref.top.length;
      return isEnough;
    });
    batch.erase(end, batch.end());
    after = batch.back().ref.contentId();
    co_await bring(kj::mv(batch));
  }
}

bool VaultPushing::isLeft(const ContentId& content) {
  auto found = left.find(content);
  return found != left.end() && around.timer.now() - found->second < LEFT_FOR;
}

// Those that no other device has put, or is putting, there; and those that it has begun and not said for too long.
kj::Promise<void> VaultPushing::sortOut(std::vector<Owed>& batch) {
  std::map<CollectionId, std::vector<Owed>> byCollection;
  for (auto& each: batch) byCollection[each.collection].push_back(each);
  batch.clear();
  for (auto& [collection, all]: byCollection) {
    auto keys = around.circle.keysToWriteWith(collection);
    KJ_IF_MAYBE(with, keys) {
      std::vector<storage::BlobName> names;
      for (auto& each: all) names.push_back((*with)->borrowed().name(each.ref.contentId()));
      auto whose = co_await client->which(collection, kj::mv(names));
      for (size_t i = 0; i < all.size(); ++i) {
        auto content = all[i].ref.contentId();
        bool isAnothers = whose[i] == Whose::ANOTHERS;
        if (isAnothers && left.size() < LEFT_MAX) left.try_emplace(content, around.timer.now());
        if (isAnothers && isLeft(content)) continue;
        left.erase(content);
        batch.push_back(all[i]);
      }
    }
  }
}

kj::Promise<void> VaultPushing::bring(std::vector<Owed> batch) {
  co_await sortOut(batch);
  std::map<CollectionId, std::vector<Put>> done;
  for (size_t begin = 0; begin < batch.size() && !full; begin += AT_ONCE_MAX) {
    kj::Vector<kj::Promise<Result<Put>>> running;
    auto end = kj::min(begin + AT_ONCE_MAX, batch.size());
    for (auto i = begin; i < end; ++i) running.add(push(batch[i]));
    auto results = co_await kj::joinPromises(running.releaseAsArray());
    for (size_t i = 0; i < results.size(); ++i) {
      if (results[i]) {
        done[batch[begin + i].collection].push_back(*results[i]);
      } else if (results[i].error().code == Errc::QUOTA_EXCEEDED) {
        full = true;
      }
    }
  }
  for (auto& [collection, puts]: done) {
    auto said = co_await around.log.say(around.self, vault, collection, kj::mv(puts), {});
    if (!said) KJ_LOG(WARNING, "what lies on a VAULT cannot be said yet", said.error().because);
    hasPut = true;
  }
}

kj::Promise<Result<crypto::Buffer>> VaultPushing::nextPiece(Sealing& sealing) {
  co_await around.gate.untilOpen(BulkGate::Way::UP, vault);
  auto piece = co_await sealing.next();
  if (piece) around.gate.passed(BulkGate::Way::UP, vault, piece->size());
  co_return piece;
}

kj::Promise<Result<VaultPushing::Put>> VaultPushing::push(Owed each) {
  auto keys = around.circle.keysToWriteWith(each.collection);
  KJ_IF_MAYBE(with, keys) {
    Sealing sealing(around.exchange, around.disk, around.entropy, each.ref, kj::mv(*with));
    auto put = co_await client->put(each.collection, sealing.name(), sealing.bytes(),
        [this, &sealing]() { return nextPiece(sealing); });
    if (!put) co_return no(put.error());
    co_return Put{each.ref.contentId(), sealing.item()};
  }
  co_return no(Errc::EPOCH_UNKNOWN, "this device holds no key to seal a blob with");
}

}  // namespace hearth::devices

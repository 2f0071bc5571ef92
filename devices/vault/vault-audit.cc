#include "devices/vault/vault-audit.h"

#include "storage/tables/vault-owed.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::devices {

namespace shelves = storage::vault_shelves;

using storage::BlobName;
using storage::Database;
using storage::VaultItem;

kj::Promise<void> VaultAudit::run() {
  while (!client->isClosed()) {
    auto all = co_await around.store.read(
        [vault = vault](Database& db) { return shelves::shelvesOf(db, vault); });
    for (auto& shelf: all) co_await look(shelf);
    co_await around.timer.afterDelay(EVERY);
  }
}

kj::Promise<void> VaultAudit::look(Shelf shelf) {
  auto before = co_await suspects(shelf);
  if (before.empty()) co_return;
  co_await around.timer.afterDelay(NEWS_WITHIN);
  std::set<Suspect> lost;
  for (auto& still: co_await suspects(shelf)) {
    if (!before.contains(still)) continue;
    auto because = still.code == Errc::ROLLBACK ? "a VAULT lacks a file that it took"_kj
                                                : "a VAULT has another file than it took"_kj;
    around.faults.add(vault,
        {still.code, because, shelf.name.collection,
            storage::blobId(shelf.name.collection, still.content)});
    lost.insert(still);
  }
  if (shelf.name.writer == around.self && !lost.empty()) co_await putAgain(shelf, kj::mv(lost));
}

// What the shelf must have and the VAULT does not say that it has.
kj::Promise<std::set<VaultAudit::Suspect>> VaultAudit::suspects(Shelf shelf) {
  auto said =
      co_await around.store.read([shelf](Database& db) { return shelves::said(db, shelf); });
  auto there = co_await client->root(shelf.name);
  std::set<Suspect> found;
  if (there.items == said.items && there.root == said.root) co_return kj::mv(found);
  uint64_t named = 0;
  for (BlobName after;;) {
    auto held = co_await client->list(shelf.name, after);
    named += held.size();
    if (named > said.items + UNSAID_MAX)
      kj::throwFatalException(KJ_EXCEPTION(FAILED, "a VAULT lists files without end"));
    // Up to the last one that it has named, or to the end.
    BlobName last;
    memset(last.bytes, 0xff, sizeof(last.bytes));
    if (!held.empty()) last = held.back().name;
    found.merge(co_await around.store.read([shelf, after, last, held](Database& db) {
      return missingIn(held, shelves::listed(db, shelf, after, last));
    }));
    if (held.empty()) co_return kj::mv(found);
    after = last;
  }
}

// Both in order of their names.
std::set<VaultAudit::Suspect> VaultAudit::missingIn(
    const std::vector<VaultItem>& held, const std::vector<storage::ShelfChange::Put>& listed) {
  std::set<Suspect> missing;
  auto at = held.begin();
  for (auto& [content, item]: listed) {
    at = std::find_if(at, held.end(), [&](auto& each) { return !(each.name < item.name); });
    bool isThere = at != held.end() && at->name == item.name;
    if (!isThere) {
      missing.insert({content, item.name, Errc::ROLLBACK});
    } else if (*at != item) {
      missing.insert({content, item.name, Errc::INTEGRITY_FAILED});
    }
  }
  return missing;
}

// This device has put them there: it does so once more, as far as they are here.
kj::Promise<void> VaultAudit::putAgain(Shelf shelf, std::set<Suspect> lost) {
  auto names = co_await around.store.read([lost = kj::mv(lost)](Database& db) {
    std::vector<BlobName> here;
    for (auto& each: lost) {
      if (here.size() < storage::ShelfChange::CHANGES_MAX &&
          storage::vault_owed::isHere(db, each.content))
        here.push_back(each.name);
    }
    return here;
  });
  if (names.empty()) co_return;
  auto said = co_await around.log.say(around.self, vault, shelf.name.collection, {}, kj::mv(names));
  if (!said) KJ_LOG(WARNING, "what a VAULT has lost cannot be put again", said.error().because);
}

}  // namespace hearth::devices

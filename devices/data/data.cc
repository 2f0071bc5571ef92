#include "devices/data/data.h"

#include "devices/clipboard/clipboard.h"
#include "devices/search/search.h"
#include "devices/settings/known-settings.h"
#include "devices/settings/shared-settings.h"
#include "devices/vault/vaults.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::devices {

Data::Data(Surroundings around)
    : around(around),
      inStep({around.timer, around.trace, around.entropy, around.store, log, around.links,
          around.identity.keys.id}),
      whoIsWhere({around.timer, around.links, blobCircle, around.identity.keys.id}),
      copied(kj::heap<Clipboard>(Clipboard::Surroundings{
          around.timer, around.clock, around.store, circle, blobCircle, around.links})),
      settingsKept({around.clock, around.store, log, circle}, settingsCollection()),
      shared(kj::heap<SharedSettings>(SharedSettings::Surroundings{
          around.timer, around.clock, settingsKept, around.identity.keys.id})),
      tasks(*this) {
  KJ_IF_MAYBE(system, around.folders) {
    ownFolders = kj::heap<Folders>(
        FolderSurroundings{around.timer, around.clock, around.entropy, around.store, log,
            blobExchange, blobCircle, around.links, around.identity.keys.id, around.files, *system},
        blobExchange);
  }
  allVaults = kj::heap<Vaults>(Vaults::Surroundings{around.timer, around.clock, around.entropy,
      around.store, log, around.keeper, around.links, around.home, around.files, blobCircle,
      bulkGate, blobExchange, blobDisk, namedOnes, around.identity.keys.id});
  found = kj::heap<Search>(Indexer::Surroundings{around.timer, around.store, all, folders()});
}

Data::~Data() noexcept(false) {}

kj::Promise<void> Data::start() {
  auto read = co_await log.load();
  if (!read) {
    KJ_LOG(ERROR, "the operation log is damaged: documents are closed", read.error().because);
    loading.fulfiller->reject(KJ_EXCEPTION(FAILED,
        "IntegrityFailed: the operation log is damaged; this device has to join its circle anew"));
    co_return;
  }
  own.begin();
  co_await bulkGate.start();
  // Before anybody asks for what lies in them.
  KJ_IF_MAYBE(folders, ownFolders) co_await (*folders)->start();
  co_await allVaults->start();
  co_await copied->start();
  co_await shared->start();
  isLoaded = true;
  loading.fulfiller->fulfill();
  for (auto& peer: around.links.peersUp()) peerUp(peer);
  tasks.add(namedOnes.start());
  found->start();
  circleChanged();
}

kj::Promise<std::vector<bool>> Data::keeps(const DeviceId& peer, const crypto::CollectionId& folder,
    std::vector<FolderProving::Asked> files) {
  KJ_IF_MAYBE(folders, ownFolders) {
    if (isLoaded && blobCircle.mayRead(peer, folder))
      return (*folders)->keeps(folder, kj::mv(files));
  }
  return std::vector<bool>(files.size(), false);
}

void Data::peerUp(const DeviceId& peer) {
  if (!isLoaded) return;
  own.peerUp();
  inStep.peerUp(peer);
  blobExchange.peerUp(peer);
  whoIsWhere.peerUp(peer);
  copied->peerUp(peer);
  allVaults->peerUp(peer);
}

void Data::peerDown(const DeviceId& peer) {
  inStep.peerDown(peer);
  blobExchange.peerDown(peer);
  whoIsWhere.peerDown(peer);
  copied->peerDown(peer);
  allVaults->peerDown(peer);
}

void Data::incoming(const DeviceId& peer, kj::byte kind, kj::Own<kj::AsyncIoStream> stream) {
  tasks.add(ready().then([this, peer = peer, kind, stream = kj::mv(stream)]() mutable {
    if (!around.links.isUp(peer)) return;
    if (kind == STREAM_KIND_SYNC) inStep.incoming(peer, kj::mv(stream));
    if (kind == STREAM_KIND_BLOBS) blobExchange.incoming(peer, kj::mv(stream));
    if (kind == STREAM_KIND_PRESENCE) whoIsWhere.incoming(peer, kj::mv(stream));
    if (kind == STREAM_KIND_CLIPBOARD) copied->incoming(peer, kj::mv(stream));
    if (kind == STREAM_KIND_VAULT) allVaults->incoming(peer, kj::mv(stream));
  }));
}

// With another epoch's secret what came before it can be read.
void Data::circleChanged() {
  if (isLoaded) allVaults->circleChanged();
  auto known = around.keeper.epochKeys().secretsHeld();
  if (!isLoaded || known == epochs) return;
  epochs = known;
  tasks.add(log.readAgain());
}

kj::Maybe<kj::Duration> Data::usualClipLifetime() {
  KJ_IF_MAYBE(value, shared->valueOf(CLIPBOARD_LIFETIME)) {
    auto lifetime = clipboardLifetime(*value);
    KJ_ASSERT(lifetime.has_value(), "a setting that nobody can go by holds");
    if (!*lifetime) return nullptr;
    return **lifetime;
  }
  return Clipboard::LIFETIME;
}

std::vector<std::string> Data::alarms() const {
  auto lines = own.alarms();
  std::ranges::move(shared->alarms(), std::back_inserter(lines));
  return lines;
}

void Data::addTo(Holdings& holdings) const {
  auto peers = around.keeper.state().devices.size();
  holdings.push_back(
      {"apps at documents", whoIsWhere.places(), Presence::PLACES_MAX * (peers + 1)});
  holdings.push_back(
      {"entries of the clipboard", copied->holds(), ClipShelf::KEPT_MAX + clip::HELD_MAX});
  holdings.push_back({"documents in memory", all.inMemory(),
      storage::Documents::IDLE_MAX + storage::Documents::IN_USE_MAX});
  holdings.push_back({"documents of settings in memory", settingsKept.inMemory(),
      storage::Documents::IDLE_MAX + storage::Documents::IN_USE_MAX});
  holdings.push_back({"documents of names of blobs in memory", blobNames.inMemory(),
      storage::Documents::IDLE_MAX + storage::Documents::IN_USE_MAX});
  KJ_IF_MAYBE(all, ownFolders) (*all)->addTo(holdings);
  allVaults->addTo(holdings);
  holdings.push_back(
      {"blobs that are fetched", blobExchange.fetching(), storage::BlobFetcher::WANTED_MAX});
  holdings.push_back(
      {"entries that are offered or asked", inStep.holds(), 2 * SyncSession::OFFERED_MAX * peers});
}

void Data::taskFailed(kj::Exception&& e) { KJ_LOG(WARNING, "data", e.getDescription()); }

}  // namespace hearth::devices

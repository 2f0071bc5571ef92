#include "devices/data/data.h"

#include "devices/search/search.h"
#include "devices/vault/vaults.h"

#include <kj/debug.h>

namespace hearth::devices {

Data::Data(Surroundings around)
    : around(around),
      inStep({around.timer, around.trace, around.entropy, around.store, log, around.links,
          around.identity.keys.id}),
      whoIsWhere({around.timer, around.links, blobCircle, around.identity.keys.id}),
      tasks(*this) {
  KJ_IF_MAYBE(system, around.folders) {
    ownFolders = kj::heap<Folders>(
        FolderSurroundings{around.timer, around.clock, around.entropy, around.store, log,
            blobExchange, blobCircle, around.links, around.identity.keys.id, around.files, *system},
        blobExchange);
  }
  allVaults = kj::heap<Vaults>(Vaults::Surroundings{around.timer, around.clock, around.entropy,
      around.store, log, around.keeper, around.links, around.home, around.files, blobCircle,
      blobExchange, blobDisk, namedOnes, around.identity.keys.id});
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
  // Before anybody asks for what lies in them.
  KJ_IF_MAYBE(folders, ownFolders) co_await (*folders)->start();
  co_await allVaults->start();
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
  allVaults->peerUp(peer);
}

void Data::peerDown(const DeviceId& peer) {
  inStep.peerDown(peer);
  blobExchange.peerDown(peer);
  whoIsWhere.peerDown(peer);
  allVaults->peerDown(peer);
}

void Data::incoming(const DeviceId& peer, kj::byte kind, kj::Own<kj::AsyncIoStream> stream) {
  tasks.add(ready().then([this, peer = peer, kind, stream = kj::mv(stream)]() mutable {
    if (!around.links.isUp(peer)) return;
    if (kind == STREAM_KIND_SYNC) inStep.incoming(peer, kj::mv(stream));
    if (kind == STREAM_KIND_BLOBS) blobExchange.incoming(peer, kj::mv(stream));
    if (kind == STREAM_KIND_PRESENCE) whoIsWhere.incoming(peer, kj::mv(stream));
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

void Data::addTo(Holdings& holdings) const {
  auto peers = around.keeper.state().devices.size();
  holdings.push_back(
      {"apps at documents", whoIsWhere.places(), Presence::PLACES_MAX * (peers + 1)});
  holdings.push_back({"documents in memory", all.inMemory(),
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

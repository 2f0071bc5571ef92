#include "devices/vault/vaults.h"

#include "devices/vault/vault-server.h"

#include <kj/debug.h>

namespace hearth::devices {

namespace shelves = storage::vault_shelves;

class Vaults::Member final: public VaultSession {
 public:
  Member(Vaults& all, const DeviceId& vault, kj::Own<kj::AsyncIoStream> stream)
      : all(all),
        vault(vault),
        client(std::make_shared<VaultClient>(kj::mv(stream))),
        pushing({all.around.timer, all.around.entropy, all.around.store, all.around.circle,
                    all.around.gate, all.around.exchange, all.around.disk, all.around.blobs,
                    all.log, all.around.self},
            vault, client),
        audit({all.around.timer, all.around.store, all.log, all.found, all.around.self}, vault,
            client) {
    all.members[vault] = this;
    all.reading.vaultUp(vault, client);
  }
  ~Member() noexcept(false) {
    client->close();
    auto found = all.members.find(vault);
    if (found == all.members.end() || found->second != this) return;
    all.members.erase(found);
    all.reading.vaultDown(vault);
  }

  kj::Promise<Result<void>> run() override {
    auto goOn = [](kj::Promise<void> work) {
      return work
          .catch_([](kj::Exception&& e) {
            if (e.getType() != kj::Exception::Type::DISCONNECTED)
              KJ_LOG(WARNING, "a VAULT", e.getDescription());
          })
          .then([]() -> kj::Promise<Result<void>> { return kj::NEVER_DONE; });
    };
    return client->run().exclusiveJoin(goOn(pushing.run())).exclusiveJoin(goOn(audit.run()));
  }

  bool isFull() const { return pushing.isFull(); }

 private:
  Vaults& all;
  DeviceId vault;
  std::shared_ptr<VaultClient> client;
  VaultPushing pushing;
  VaultAudit audit;
};

Vaults::Vaults(Surroundings aroundIn)
    : around(aroundIn),
      streams({around.timer, around.links, around.self, STREAM_KIND_VAULT, "a VAULT"_kj},
          [this](const DeviceId& peer, bool, kj::Own<kj::AsyncIoStream> stream) {
            return begin(peer, kj::mv(stream));
          }) {}

Vaults::~Vaults() noexcept(false) {}

kj::Promise<void> Vaults::start() {
  if (isVault(around.self)) co_await own.start(around.keeper.hasForgotten());
  co_await log.start();
}

bool Vaults::isVault(const DeviceId& device) const {
  if (!around.keeper.isActive(device) || around.keeper.isQuarantined(device)) return false;
  return around.keeper.state()
      .find(device)
      .map([](auto& member) { return member.role == crypto::Role::VAULT; })
      .orDefault(false);
}

// One of the two is a VAULT, and the other one reads.
bool Vaults::isBetween(const DeviceId& peer) const {
  return (isVault(around.self) && around.circle.readsBlobs(peer)) ||
      (isVault(peer) && around.circle.readsBlobs(around.self));
}

kj::Own<VaultSession> Vaults::begin(const DeviceId& peer, kj::Own<kj::AsyncIoStream> stream) {
  if (isVault(around.self)) return kj::heap<VaultServer>(own, around.gate, peer, kj::mv(stream));
  return kj::heap<Member>(*this, peer, kj::mv(stream));
}

void Vaults::peerUp(const DeviceId& peer) {
  if (isBetween(peer)) streams.peerUp(peer);
}

void Vaults::peerDown(const DeviceId& peer) { streams.peerDown(peer); }

// Where the two do not know the same of the circle yet, whoever has opened it tries again.
void Vaults::incoming(const DeviceId& peer, kj::Own<kj::AsyncIoStream> stream) {
  if (isBetween(peer)) streams.incoming(peer, kj::mv(stream));
}

void Vaults::circleChanged() {
  for (auto& peer: around.links.peersUp()) {
    bool isThere = streams.find(peer) != nullptr;
    if (isBetween(peer) && !isThere) streams.peerUp(peer);
    if (!isBetween(peer) && isThere) streams.peerDown(peer);
  }
}

kj::Promise<shelves::Usage> Vaults::usage(DeviceId vault) {
  auto whose = vault == around.self ? DeviceId() : vault;
  return around.store.read([whose](storage::Database& db) { return shelves::usage(db, whose); });
}

void Vaults::addTo(Holdings& holdings) const {
  holdings.push_back(
      {"blobs from VAULTs", reading.holds(), VaultReading::AT_ONCE_MAX + VaultReading::READY_MAX});
  holdings.push_back({"faults of VAULTs", found.all().size(), VaultFaults::MAX});
}

std::vector<std::string> Vaults::alarms(
    kj::FunctionParam<std::string(const DeviceId&)> nameOf) const {
  std::vector<std::string> lines;
  for (auto& [key, fault]: found.all())
    lines.push_back(nameOf(key.first) + ": " + kj::str(fault).cStr());
  for (auto& [vault, member]: members) {
    if (member->isFull())
      lines.push_back(nameOf(vault) +
          ": there is no room left on it, and what is new is not put there: hearthd --vault-room-gib");
  }
  return lines;
}

}  // namespace hearth::devices

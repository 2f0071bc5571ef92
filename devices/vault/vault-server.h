#pragma once
// The VAULT's side of the stream to one member: takes what the member puts on its own shelves, and gives it and every
// other member what is there. Nobody changes what another one has put.

#include "devices/data/bulk-gate.h"
#include "devices/vault/vault-holdings.h"
#include "devices/vault/vault-wire.h"

#include <map>

namespace hearth::devices {

class VaultServer final: public VaultSession, private kj::TaskSet::ErrorHandler {
 public:
  static constexpr size_t COMING_MAX = 256;  // files of a member that are coming at once
  // Small ones are kept many at a time, so that they share a commit.
  static constexpr size_t KEEPING_MAX = 128;

  // Holdings and gate outlive the session.
  VaultServer(VaultHoldings& holdings, BulkGate& gate, const DeviceId& peer,
      kj::Own<kj::AsyncIoStream> stream)
      : holdings(holdings),
        gate(gate),
        peer(peer),
        wire(kj::mv(stream)),
        tasks(*this) {}
  ~VaultServer() noexcept(false) { holdings.streamEnded(peer); }

  kj::Promise<Result<void>> run() override;

 private:
  using Ticket = storage::vault::Ticket;

  VaultHoldings& holdings;
  BulkGate& gate;
  DeviceId peer;
  VaultWire wire;
  std::map<Ticket, kj::Own<VaultHoldings::Coming>> coming;
  size_t keeping = 0;
  transport::Bell kept;
  kj::PromiseFulfillerPair<Result<void>> end = kj::newPromiseAndFulfiller<Result<void>>();
  kj::TaskSet tasks;

  storage::VaultShelfName own(const crypto::CollectionId& collection) const {
    return {peer, collection};
  }
  void say(const storage::vault::Answer& answer) { wire.say(encode(answer)); }
  kj::Promise<Result<void>> listen();
  kj::Promise<Result<void>> answer(storage::vault::Question question);
  kj::Promise<Result<void>> asked(storage::vault::Which which);
  kj::Promise<Result<void>> asked(storage::vault::Put put);
  kj::Promise<Result<void>> asked(storage::vault::More more);
  kj::Promise<Result<void>> asked(storage::vault::Drop drop);
  kj::Promise<Result<void>> asked(storage::vault::Read read);
  kj::Promise<Result<void>> asked(storage::vault::Root root);
  kj::Promise<Result<void>> asked(storage::vault::List list);
  kj::Promise<Result<void>> asked(storage::vault::GiveUp put);
  kj::Promise<void> pass(BulkGate::Way way, uint64_t bytes);
  kj::Promise<Result<void>> add(Ticket ticket, crypto::Buffer bytes);
  kj::Promise<void> keep(Ticket ticket, kj::Own<VaultHoldings::Coming> whole);
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices

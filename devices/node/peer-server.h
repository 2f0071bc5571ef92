#pragma once
// What another device gets from this one by RPC over their link. A peer is believed nothing but what it
// says of itself, and everything that it says is bounded.

#include "crypto/membership/proposal.h"
#include "devices/devices.capnp.h"
#include "devices/folders/proving.h"
#include "router/place/facts.h"
#include "router/run/run.capnp.h"

#include <string>
#include <vector>

namespace hearth::devices {

std::vector<std::string> textsOf(capnp::List<capnp::Text>::Reader list);
void write(const std::vector<std::string>& texts, capnp::List<capnp::Text>::Builder out);

class PeerServer final: public rpc::Peer::Server {
 public:
  // Who answers.
  class Desk {
   public:
    // What a peer says of itself.
    virtual void heard(const DeviceId& peer, router::DeviceFacts facts) = 0;
    // Where a device may be found.
    virtual void introduced(const DeviceId& device, const std::vector<std::string>& addresses) = 0;
    // The peer is there now; where this device is.
    virtual kj::Promise<std::vector<std::string>> met(
        const DeviceId& peer, std::vector<std::string> places) = 0;
    // For jobs that the peer coordinates. Throws when this device works for nobody.
    virtual router::rpc::StageHost::Client stages(const DeviceId& peer) = 0;

    // The part of cosigning.h and of names that others ask for. Each throws for who may not.
    virtual void asked(const DeviceId& peer, const std::vector<crypto::Bytes>& open) = 0;
    virtual kj::Promise<bool> answered(
        const DeviceId& peer, const crypto::ProposalId& id, bool agrees) = 0;
    virtual kj::Promise<crypto::Signature> cosign(
        const DeviceId& peer, const crypto::ProposalId& id, crypto::Buffer body) = 0;
    virtual kj::Promise<void> renamed(const DeviceId& peer, std::string name) = 0;

    // Of files of a folder which this device keeps (devices/folders/proving.h).
    virtual kj::Promise<std::vector<bool>> keeps(const DeviceId& peer,
        const crypto::CollectionId& folder, std::vector<FolderProving::Asked> files) = 0;
  };

  // `desk` outlives the server.
  PeerServer(Desk& desk, const DeviceId& peer): desk(desk), peer(peer) {}

  kj::Promise<void> facts(FactsContext context) override;
  kj::Promise<void> introduce(IntroduceContext context) override;
  kj::Promise<void> meet(MeetContext context) override;
  kj::Promise<void> stages(StagesContext context) override;
  kj::Promise<void> proposals(ProposalsContext context) override;
  kj::Promise<void> answer(AnswerContext context) override;
  kj::Promise<void> cosign(CosignContext context) override;
  kj::Promise<void> rename(RenameContext context) override;
  kj::Promise<void> keeps(KeepsContext context) override;

 private:
  Desk& desk;
  DeviceId peer;
};

}  // namespace hearth::devices

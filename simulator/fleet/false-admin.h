#pragma once
// An admin's device in the hands of somebody who wants more than one admin may do. It has the keys and the
// log of the device, and links as every other; but it answers what admins ask each other as no honest
// device would: with signatures that are none, agreement that nobody gave, answers that nobody asked for,
// and questions without end. Each signature that it is given for a question of its own it uses.

#include "devices/node/circle-keeper.h"
#include "devices/node/proposals.h"
#include "storage/tables/peers.h"
#include "transport/link/links.h"

namespace hearth::sim {

class FalseAdmin final: private devices::CircleKeeper::Observer,
                        private transport::Links::Observer,
                        private kj::TaskSet::ErrorHandler {
 public:
  static constexpr uint64_t TOO_MANY_EVERY = 8;  // rounds of questions
  static constexpr kj::Duration LIES_EVERY = 50 * kj::MILLISECONDS;

  // All outlive this object.
  struct Surroundings {
    kj::Timer& timer;
    const kj::Clock& clock;
    Entropy& entropy;
    kj::Network& network;
    storage::Store& store;
    const kj::Directory& home;
    Executor& aside;
    const devices::Identity& identity;
  };
  // What it has done to others so far, and what it got.
  struct Count {
    uint64_t questions = 0, unasked = 0, agreements = 0, falseSignatures = 0, signatures = 0;
  };

  FalseAdmin(Surroundings around, devices::StoredCircle stored,
      std::vector<storage::PeerRow> remembered, kj::Own<kj::ConnectionReceiver> receiver);
  ~FalseAdmin() noexcept(false);

  const Count& count() const { return counted; }

 private:
  class Server;
  Surroundings around;
  crypto::EphemeralGuard guard;
  devices::CircleKeeper keeper;
  transport::Links links;
  Count counted;
  kj::TaskSet tasks;

  kj::Promise<void> lieTo(DeviceId peer);
  void ask(const DeviceId& peer);
  void answerUnasked(const DeviceId& peer);
  kj::Promise<void> askForSignature(DeviceId peer);
  void agreeToAll(const DeviceId& peer, capnp::List<capnp::Data>::Reader open);
  crypto::Buffer falseSignature(crypto::Bytes body);
  // To make an admin of somebody who is none.
  kj::Maybe<crypto::Proposal> question();

  void circleChanged() override { links.sendNews(); }
  void remembered() override {}
  void heartbeatCame() override {}
  void peerUp(const DeviceId& peer) override;
  void peerDown(const DeviceId&, Error) override {}
  void incoming(const DeviceId&, kj::Array<const kj::byte>, kj::Own<kj::AsyncIoStream>) override {}
  capnp::Capability::Client bootstrapFor(const DeviceId& peer) override;
  void taskFailed(kj::Exception&&) override {}  // whoever hangs up on it is right
};

}  // namespace hearth::sim

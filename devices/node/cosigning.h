#pragma once
// How an op gets the signatures of two admins (SECURITY.md §5.2, docs/adr/0070). Carries the machine of
// proposals.h: its memory to disk, its questions and answers over links.
//
//   A: say() ──▶ Peer.proposals(all that A asks) ──▶ B: pending(), decide() by B's user
//   B: Peer.answer(id, agrees) ──▶ A drafts the op ──▶ Peer.cosign(id, body) ──▶ B signs ──▶ A stores, tells
//
// Each step is taken when there is a link, on whichever day. A's own signature leaves it with the stored op
// alone, so no number of A is used twice, whatever becomes of the rest.

#include "core/trace/trace.h"
#include "devices/devices.capnp.h"
#include "devices/node/circle-keeper.h"
#include "devices/node/proposals.h"
#include "transport/link/links.h"

namespace hearth::devices {

class Cosigning final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr kj::Duration SIGN_WITHIN = 10 * kj::SECONDS;
  // For so long a user waits to hear whether it is done: the asking device may just have gone.
  static constexpr kj::Duration HEARD_WITHIN = 3 * kj::SECONDS;
  // The two logs are made equal meanwhile.
  static constexpr kj::Duration TRY_AGAIN_AFTER = 1 * kj::SECONDS;
  static constexpr int TRIES_MAX = 5;
  // What peers say goes to the disk so often at most, however much they say: they say it again on the next
  // link, and the newest is what counts. What the user says goes there at once.
  static constexpr kj::Duration KEPT_EVERY = 10 * kj::SECONDS;

  // All outlive this object.
  struct Surroundings {
    kj::Timer& timer;
    Trace& trace;
    Entropy& entropy;
    storage::Store& store;
    CircleKeeper& keeper;
    transport::Links& links;
  };
  // `stored`: as the disk held it.
  Cosigning(Surroundings around, crypto::Bytes stored);

  // Says it, with another admin's signature where it takes two; then the id by which it waits.
  // Errors: NOT_AUTHORISED where it takes the recovery key; those of CircleKeeper::say, Proposals::ask.
  kj::Promise<Result<kj::Maybe<crypto::ProposalId>>> say(crypto::Payload payload);

  // Resolves when what waits by that id has come about.
  // Errors: POLICY_DENIED when it never will.
  kj::Promise<Result<void>> settled(crypto::ProposalId id);

  // By this device's user: whether it agrees, or, about what this device asks, takes it back. `wanted` is an
  // id, or the beginning of one. True when the circle has followed already.
  // Errors: UNKNOWN_PEER, BAD_FORMAT; those of Proposals::answer.
  kj::Promise<Result<bool>> decide(std::string wanted, bool agrees);
  Result<crypto::ProposalId> find(const std::string& wanted) const;

  const Proposals& waiting() const { return proposals; }
  // Those of others that could still come about, and whose user has not answered, or agrees.
  std::vector<crypto::ProposalId> openOfOthers() const;

  void peerUp(const DeviceId& peer);
  void circleChanged();
  // To be called now and then: what is left of the time of each is remembered over restarts.
  kj::Promise<void> save();

  // From a peer. What it may not do is left out, or throws.
  void asked(const DeviceId& peer, const std::vector<crypto::Bytes>& open);
  kj::Promise<bool> answered(DeviceId peer, crypto::ProposalId id, bool agrees);
  kj::Promise<crypto::Signature> cosign(DeviceId peer, crypto::ProposalId id, crypto::Buffer body);

 private:
  struct Waiter {
    crypto::Payload payload;
    kj::Vector<kj::Own<kj::PromiseFulfiller<Result<void>>>> fulfillers;
  };
  Surroundings around;
  Proposals proposals;
  std::map<crypto::ProposalId, Waiter> waiters;
  std::set<crypto::ProposalId> completing;
  kj::Maybe<kj::TimePoint> keptAt;  // when it was last written for what peers have said
  bool keepsSoon = false;
  kj::TaskSet tasks;

  bool isAdmin(const DeviceId& device) const;
  rpc::Peer::Client peerOf(const DeviceId& device);
  void tell(const DeviceId& admin);
  void tellAll();
  kj::Promise<bool> tellAnswer(crypto::ProposalId id);
  kj::Promise<bool> complete(crypto::ProposalId id, DeviceId admin);
  kj::Promise<Result<void>> tryToComplete(crypto::ProposalId id, const DeviceId& admin);
  bool hasCome(const crypto::Payload& payload) const;
  void over(const std::vector<crypto::ProposalId>& ids);
  void keepSoon();
  kj::Promise<void> keep();
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices

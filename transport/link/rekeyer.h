#pragma once
// The keys of one link, and their renewal inside its carrier: drives KeyRing and Rekeying with the
// circle's counters and secrets. The link tells it what it sends and what comes.

#include "transport/link/handshaker.h"
#include "transport/link/rekeying.h"

namespace hearth::transport {

class Rekeyer final {
 public:
  class Host {
   public:
    // An HS_INIT or HS_RESP, to be sent before anything that is not sealed yet.
    virtual void sendHandshake(crypto::Buffer record, bool expectsAnswer) = 0;

    // This side seals under new keys from now on. It owes the peer a record, whatever it has to say.
    virtual void renewed() = 0;

    // No new keys will come.
    virtual void expired(Error why) = 0;

    // Names keys of this process for which there are none yet.
    virtual uint32_t freshIndex() = 0;
  };

  // Takes the keys of both directions out of `session`. `renews`: otherwise the link ends with its first keys.
  Rekeyer(crypto::LinkSession& session, bool renews, HandshakeTools tools, Host& host);

  // What to seal the next record with. None: wait until renewed(); new keys are on their way.
  kj::Maybe<crypto::KeyRing::Sealing> sealing();
  void sealed();
  kj::Maybe<crypto::KeyRing::Opening> opening(uint32_t receiverIndex);
  void opened(uint32_t receiverIndex);
  bool carriesBulk() const { return ring.carriesBulk(); }

  // HS_INIT and HS_RESP of the peer's. What is wrong with them is dropped without an answer and changes
  // nothing, so nothing is returned.
  void called(crypto::Buffer body);
  void answered(crypto::Bytes body);

  kj::Duration age() const { return ring.age(tools.timer.now()); }
  uint32_t handshakes() const { return ring.handshakes(); }

 private:
  HandshakeTools tools;
  Host& host;
  DeviceId peer;
  bool renews;
  crypto::KeyRing ring;
  Rekeying rekeying;
  kj::Maybe<crypto::LinkInitiator> call;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> planned;  // wakes the watcher
  kj::Promise<void> calling = nullptr;
  kj::Promise<void> answering = nullptr;
  kj::Promise<void> watching;

  void want();
  void act(Rekeying::Step step);
  kj::Promise<void> begin();
  kj::Promise<void> answer(crypto::Buffer body);
  kj::Promise<void> watch();
  void plan();
  kj::Maybe<kj::TimePoint> wakeAt() const;
  kj::Promise<void> guarded(kj::Promise<void> task);
};

}  // namespace hearth::transport

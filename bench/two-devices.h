#pragma once
// Two devices of one circle as links see them: keys, one epoch, numbers in memory. No log, no disk.

#include "transport/link/handshaker.h"

#include <map>

namespace hearth::bench {

class LinkDevice final: public transport::Circle {
 public:
  explicit LinkDevice(Entropy& entropy);

  // Each must know the other before either calls.
  void know(const LinkDevice& other);

  const DeviceId& id() const { return keys.id; }
  const crypto::DhPublic& x() const { return keys.publics.x; }
  const crypto::BundleHash& bundle() const { return bundleHash; }

  crypto::LinkSelf self() override;
  kj::Maybe<Member> find(const DeviceId& device) override;
  kj::Maybe<crypto::LinkInitiator::EpochPsk> epochWith(const DeviceId& device) override;
  kj::Promise<uint64_t> nextInitCounter() override { return ++counter; }
  uint64_t lastInitCounter(const DeviceId& device) override { return accepted[device]; }
  kj::Promise<void> acceptInitCounter(const DeviceId& device, uint64_t number) override;
  kj::Own<transport::MembershipExchange> exchange(const DeviceId& peer, bool stranger) override;

 private:
  crypto::DeviceKeys keys;
  crypto::BundleHash bundleHash;
  std::map<DeviceId, Member> members;
  std::map<DeviceId, uint64_t> accepted;
  uint64_t counter = 0;
};

}  // namespace hearth::bench

#pragma once
// A device of a small circle: its keys, what it knows of the others, and what it was told.

#include "transport/link/links.h"

#include <kj/debug.h>

#include <map>
#include <string>
#include <vector>

namespace hearth::transport {

// A peer that has nothing to tell about the circle.
class SilentExchange final: public MembershipExchange {
 public:
  explicit SilentExchange(kj::Vector<kj::byte>& heard): heard(heard) {}
  kj::Array<kj::byte> heads() override { return kj::heapArray<kj::byte>({1, 2, 3}); }
  Result<Step> confirmed(kj::ArrayPtr<const kj::byte> body) override {
    if (body.size() != 3) return no(Errc::BAD_FORMAT, "other heads");
    return Step{kj::heapArray<kj::byte>({9}), false};
  }
  Result<Step> received(kj::ArrayPtr<const kj::byte> bytes) override {
    heard.addAll(bytes);
    return Step{nullptr, true};
  }
  kj::Array<kj::byte> news() override { return kj::heapArray<kj::byte>({7}); }

 private:
  kj::Vector<kj::byte>& heard;
};

struct Device final: public Circle, public Links::Observer {
  SystemEntropy entropy;
  crypto::DeviceKeys keys;
  crypto::BundleHash bundle;
  bool hasAes = false;
  EpochId epoch;
  std::map<DeviceId, Circle::Member> members;
  std::map<DeviceId, uint64_t> counters;
  uint64_t counter = 0;
  kj::Vector<kj::byte> heard;
  std::vector<std::string> log;
  std::vector<kj::Own<kj::AsyncIoStream>> streams;
  kj::Maybe<capnp::Capability::Client> offered;
  crypto::EphemeralGuard guard{[]() { KJ_FAIL_ASSERT("an ephemeral came twice"); }};
  kj::Own<Links> links;

  explicit Device(kj::byte seed)
      : keys(crypto::DeviceKeys::fromRootSeed(crypto::RootSeed::make(
            [&](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), seed, out.size()); }))) {
    bundle.bytes[0] = seed;
    epoch.bytes[0] = 1;
  }
  void start(kj::Timer& timer, kj::Network& network) {
    links = kj::heap<Links>(HandshakeTools{timer, entropy, guard, *this}, network, *this);
  }
  void know(const Device& other) {
    members[other.keys.id] = {Standing::ACTIVE, other.keys.publics.x, other.bundle, other.hasAes};
  }

  crypto::LinkSelf self() override {
    return {keys.id, keys.x, bundle, CircleId(), crypto::REHANDSHAKE_MAINS_S, hasAes};
  }
  kj::Maybe<Member> find(const DeviceId& id) override {
    auto found = members.find(id);
    if (found == members.end()) return nullptr;
    return found->second;
  }
  kj::Maybe<crypto::LinkInitiator::EpochPsk> epochWith(const DeviceId&) override {
    return crypto::LinkInitiator::EpochPsk{epoch,
        crypto::LinkPsk::make([&](auto out) { memset(out.begin(), epoch.bytes[0], out.size()); })};
  }
  kj::Promise<uint64_t> nextInitCounter() override { return ++counter; }
  uint64_t lastInitCounter(const DeviceId& id) override { return counters[id]; }
  kj::Promise<void> acceptInitCounter(const DeviceId& id, uint64_t n) override {
    counters[id] = n;
    return kj::READY_NOW;
  }
  kj::Own<MembershipExchange> exchange(const DeviceId&, bool) override {
    return kj::heap<SilentExchange>(heard);
  }

  void peerUp(const DeviceId&) override { log.push_back("up"); }
  void peerDown(const DeviceId&, Error why) override {
    log.push_back(std::string("down: ") + why.because.cStr());
  }
  void incoming(const DeviceId&, kj::Array<const kj::byte> header,
      kj::Own<kj::AsyncIoStream> stream) override {
    KJ_ASSERT(header[0] == 2);
    streams.push_back(kj::mv(stream));
  }
  capnp::Capability::Client bootstrapFor(const DeviceId&) override {
    KJ_IF_MAYBE(capability, offered) return *capability;
    return KJ_EXCEPTION(UNIMPLEMENTED, "these devices offer nothing");
  }
};

}  // namespace hearth::transport

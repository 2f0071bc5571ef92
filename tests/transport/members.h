#pragma once
// Devices of one circle for tests of Links: real handshakes over loopback, nothing to tell about the
// circle.

#include "transport/link/links.h"
#include "transport/wire/datagram-socket.h"
#include "transport/wire/uv-network.h"

#include <kj/debug.h>

namespace hearth::transport {

class NothingToTell final: public MembershipExchange {
 public:
  kj::Array<kj::byte> heads() override { return nullptr; }
  Result<Step> confirmed(kj::ArrayPtr<const kj::byte>) override { return Step{}; }
  Result<Step> received(kj::ArrayPtr<const kj::byte>) override { return Step{nullptr, true}; }
  kj::Array<kj::byte> news() override { return nullptr; }
};

struct Member final: public Circle, public Links::Observer {
  static constexpr kj::byte STREAM_KIND = 2;  // of the streams that tests open

  SystemEntropy entropy;
  crypto::DeviceKeys keys;
  crypto::BundleHash bundle;
  std::map<DeviceId, Circle::Member> members;
  std::map<DeviceId, uint64_t> counters;
  uint64_t counter = 0;
  std::vector<std::string> log;
  std::vector<kj::Own<kj::AsyncIoStream>> streams;
  crypto::EphemeralGuard guard{[]() { KJ_FAIL_ASSERT("an ephemeral came twice"); }};
  kj::Own<Links> links;
  std::string address;
  std::vector<std::string> met;  // where the other says that it is, when a link makes a detour

  explicit Member(kj::byte seed)
      : keys(crypto::DeviceKeys::fromRootSeed(crypto::RootSeed::make(
            [&](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), seed, out.size()); }))) {
    bundle.bytes[0] = seed;
  }
  const DeviceId& id() const { return keys.id; }
  bool isUp(const Member& other) const { return links->isUp(other.id()); }
  kj::Maybe<Path> pathTo(const Member& other) const { return links->pathOf(other.id()); }

  crypto::LinkSelf self() override {
    return {keys.id, keys.x, bundle, CircleId(), crypto::REHANDSHAKE_MAINS_S};
  }
  kj::Maybe<Circle::Member> find(const DeviceId& id) override {
    auto found = members.find(id);
    if (found == members.end()) return nullptr;
    return found->second;
  }
  kj::Maybe<crypto::LinkInitiator::EpochPsk> epochWith(const DeviceId&) override {
    EpochId epoch;
    epoch.bytes[0] = 1;
    return crypto::LinkInitiator::EpochPsk{
        epoch, crypto::LinkPsk::make([](auto out) { memset(out.begin(), 1, out.size()); })};
  }
  kj::Promise<uint64_t> nextInitCounter() override { return ++counter; }
  uint64_t lastInitCounter(const DeviceId& id) override { return counters[id]; }
  kj::Promise<void> acceptInitCounter(const DeviceId& id, uint64_t n) override {
    counters[id] = n;
    return kj::READY_NOW;
  }
  kj::Own<MembershipExchange> exchange(const DeviceId&, bool) override {
    return kj::heap<NothingToTell>();
  }

  void peerUp(const DeviceId&) override { log.push_back("up"); }
  void peerDown(const DeviceId&, Error) override { log.push_back("down"); }
  void incoming(const DeviceId&, kj::Array<const kj::byte> header,
      kj::Own<kj::AsyncIoStream> stream) override {
    KJ_ASSERT(header[0] == STREAM_KIND);
    streams.push_back(kj::mv(stream));
  }
  kj::Promise<std::vector<std::string>> meet(const DeviceId&) override { return met; }
  capnp::Capability::Client bootstrapFor(const DeviceId&) override {
    return KJ_EXCEPTION(UNIMPLEMENTED, "these devices offer nothing");
  }
};

// Three of them: anna and ben know no way to each other, carol is known to both.
struct Three {
  UvLoop uv;
  UvNetwork network{uv.port};
  Member anna{1}, ben{2}, carol{3};

  Three() {
    Member* all[] = {&anna, &ben, &carol};
    for (auto member: all) {
      for (auto other: all) {
        if (other == member) continue;
        member->members[other->id()] = {
            Circle::Standing::ACTIVE, other->keys.publics.x, other->bundle};
      }
      start(*member);
    }
  }
  void start(Member& member) {
    HandshakeTools tools{uv.timer(), member.entropy, member.guard, member};
    member.links = kj::heap<Links>(tools, network, member);
    auto receiver = network.parseAddress("127.0.0.1:0").wait(uv.waitScope)->listen();
    member.address = "127.0.0.1:" + std::to_string(receiver->getPort());
    member.links->serve(kj::mv(receiver));
  }
  // By datagrams, too: the path's text.
  std::string serveDatagrams(Member& member) {
    auto address = network.parseAddress("127.0.0.1:0").wait(uv.waitScope);
    auto socket = batchesOf(address->bindDatagramPort(), network);
    auto text = "udp:127.0.0.1:" + std::to_string(socket->port());
    member.links->serveDatagrams(kj::mv(socket));
    return text;
  }
  void knows(Member& one, Member& other) { one.links->setAddresses(other.id(), {other.address}); }
  void knowsNoPlaceOf(Member& one, Member& other) { one.links->setAddresses(other.id(), {}); }

  template <typename Condition>
  bool eventually(Condition&& condition) {
    for (int i = 0; i < 1000 && !condition(); ++i) wait(5 * kj::MILLISECONDS);
    return condition();
  }
  void wait(kj::Duration time) { uv.timer().afterDelay(time).wait(uv.waitScope); }
};

}  // namespace hearth::transport

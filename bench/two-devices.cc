#include "bench/two-devices.h"

#include "crypto/identity/bundle.h"

namespace hearth::bench {

namespace {

// There is no log: both sides have all there is.
class NothingToTell final: public transport::MembershipExchange {
 public:
  kj::Array<kj::byte> heads() override { return nullptr; }
  Result<Step> confirmed(kj::ArrayPtr<const kj::byte>) override { return Step{nullptr, true}; }
  Result<Step> received(kj::ArrayPtr<const kj::byte>) override { return Step{nullptr, true}; }
  kj::Array<kj::byte> news() override { return nullptr; }
};

}  // namespace

constexpr bool HAS_AES = true;
constexpr uint32_t FLAGS = crypto::Bundle::AES_HW;

LinkDevice::LinkDevice(Entropy& entropy)
    : keys(crypto::DeviceKeys::fromRootSeed(crypto::RootSeed::draw(entropy))),
      bundleHash(crypto::Bundle{crypto::Platform::LINUX, FLAGS, 1, keys.publics}.hash()) {}

void LinkDevice::know(const LinkDevice& other) {
  members[other.id()] = {Standing::ACTIVE, other.x(), other.bundle(), HAS_AES};
}

crypto::LinkSelf LinkDevice::self() {
  return {keys.id, keys.x, bundleHash, CircleId(), crypto::REHANDSHAKE_MAINS_S, HAS_AES};
}

kj::Maybe<transport::Circle::Member> LinkDevice::find(const DeviceId& device) {
  auto found = members.find(device);
  if (found == members.end()) return nullptr;
  return found->second;
}

kj::Maybe<crypto::LinkInitiator::EpochPsk> LinkDevice::epochWith(const DeviceId&) {
  EpochId epoch;
  epoch.bytes[0] = 1;
  auto psk = crypto::LinkPsk::make([](auto out) { memset(out.begin(), 1, out.size()); });
  return crypto::LinkInitiator::EpochPsk{epoch, kj::mv(psk)};
}

kj::Promise<void> LinkDevice::acceptInitCounter(const DeviceId& device, uint64_t number) {
  accepted[device] = number;
  return kj::READY_NOW;
}

kj::Own<transport::MembershipExchange> LinkDevice::exchange(const DeviceId&, bool) {
  return kj::heap<NothingToTell>();
}

}  // namespace hearth::bench

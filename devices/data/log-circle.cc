#include "devices/data/log-circle.h"

namespace hearth::devices {

// Of those who have no part any more as well: what they wrote while they had one is passed on by others.
kj::Maybe<crypto::SignPublic> LogCircle::signerOf(const DeviceId& author) const {
  return keeper.state().find(author).map([](auto& member) { return member.bundle().keys.ed; });
}

kj::Maybe<EpochId> LogCircle::epochToWriteIn() const {
  if (!keeper.isActive(self()) || keeper.hasForgotten()) return nullptr;
  return keeper.state().epoch.map([](auto& epoch) { return epoch.id; });
}

kj::Maybe<crypto::CollectionKey> LogCircle::keyOf(
    const EpochId& epoch, const crypto::CollectionId& collection) const {
  return keeper.secretOf(epoch).map([&](auto& secret) {
    return crypto::collectionKey(secret, {keeper.log().circle(), epoch}, collection);
  });
}

}  // namespace hearth::devices

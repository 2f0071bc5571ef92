#pragma once
// What the operation log asks of the circle.

#include "devices/node/circle-keeper.h"
#include "storage/log/log.h"

namespace hearth::devices {

class LogCircle final: public storage::Log::Circle {
 public:
  // Both outlive this object.
  LogCircle(const CircleKeeper& keeper, const Identity& identity)
      : keeper(keeper),
        identity(identity) {}

  const DeviceId& self() const override { return identity.keys.id; }
  const crypto::SignSecret& signSecret() const override { return identity.keys.ed; }
  kj::Maybe<crypto::SignPublic> signerOf(const DeviceId& author) const override;
  kj::Maybe<EpochId> epochToWriteIn() const override;
  kj::Maybe<crypto::CollectionKey> keyOf(
      const EpochId& epoch, const crypto::CollectionId& collection) const override;

 private:
  const CircleKeeper& keeper;
  const Identity& identity;
};

}  // namespace hearth::devices

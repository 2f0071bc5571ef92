#include "devices/data/keeping-in-step.h"

namespace hearth::devices {

KeepingInStep::KeepingInStep(SyncSession::Surroundings aroundIn)
    : around(aroundIn),
      streams(
          {around.timer, around.links, around.self, STREAM_KIND_SYNC, "keeping logs in step"_kj},
          [this](const DeviceId& peer, bool opener, kj::Own<kj::AsyncIoStream> stream) {
            return kj::heap<SyncSession>(around, peer, opener, kj::mv(stream));
          }) {
  around.log.follow(*this);
}

void KeepingInStep::stored(const storage::Log::Stored& entry) {
  streams.forEach([&](auto&, auto& session) { session.stored(entry); });
}

std::vector<DeviceId> KeepingInStep::inStepWith() const {
  std::vector<DeviceId> found;
  streams.forEach([&](auto& id, auto& session) {
    if (session.isInStep()) found.push_back(id);
  });
  return found;
}

size_t KeepingInStep::holds() const {
  size_t held = 0;
  streams.forEach([&](auto&, auto& session) { held += session.holds(); });
  return held;
}

}  // namespace hearth::devices

#include "devices/data/keeping-in-step.h"

#include <kj/debug.h>

namespace hearth::devices {

KeepingInStep::KeepingInStep(SyncSession::Surroundings around): around(around), tasks(*this) {
  around.log.follow(*this);
}

KeepingInStep::~KeepingInStep() noexcept(false) {}

// The device with the smaller id opens the stream.
void KeepingInStep::peerUp(const DeviceId& peer) {
  if (!opens(peer)) return;
  kj::byte header[] = {STREAM_KIND_SYNC};
  auto stream = around.links.open(peer, transport::Lane::BULK, header);
  if (stream) begin(peer, kj::mv(*stream));
}

// The session may be what is running just now.
void KeepingInStep::peerDown(const DeviceId& peer) {
  auto found = peers.find(peer);
  if (found == peers.end()) return;
  tasks.add(kj::evalLater([gone = kj::mv(found->second)]() {}));
  peers.erase(found);
}

void KeepingInStep::incoming(const DeviceId& peer, kj::Own<kj::AsyncIoStream> stream) {
  if (!opens(peer)) begin(peer, kj::mv(stream));
}

void KeepingInStep::begin(const DeviceId& id, kj::Own<kj::AsyncIoStream> stream) {
  auto& peer = peers[id];
  peer.running = nullptr;
  peer.session = kj::heap<SyncSession>(around, id, opens(id), kj::mv(stream));
  peer.running = run(id).eagerlyEvaluate([](kj::Exception&& e) { KJ_LOG(ERROR, e); });
}

kj::Promise<void> KeepingInStep::run(DeviceId id) {
  auto again = AGAIN_AFTER;
  auto& session = *peers.at(id).session;
  try {
    auto ended = co_await session.run();
    if (!ended) {
      KJ_LOG(WARNING, "a device breaks the rules of keeping in step", id, ended.error().because);
      again = FORGIVEN_AFTER;
    }
  } catch (const kj::Exception& e) {
    if (e.getType() != kj::Exception::Type::DISCONNECTED)
      KJ_LOG(WARNING, "data is not in step with a device", id, e.getDescription());
  }
  auto found = peers.find(id);
  if (found == peers.end() || found->second.session.get() != &session) co_return;
  found->second.session = nullptr;  // and its stream with it: the peer is to notice
  if (opens(id)) openAfter(id, again);
}

// Unless there is another stream by then.
void KeepingInStep::openAfter(const DeviceId& id, kj::Duration time) {
  tasks.add(around.timer.afterDelay(time).then([this, id = id]() {
    auto found = peers.find(id);
    if (found != peers.end() && found->second.session.get() == nullptr) peerUp(id);
  }));
}

void KeepingInStep::stored(const storage::Log::Stored& entry) {
  for (auto& [id, peer]: peers)
    if (peer.session.get() != nullptr) peer.session->stored(entry);
}

std::vector<DeviceId> KeepingInStep::inStepWith() const {
  std::vector<DeviceId> found;
  for (auto& [id, peer]: peers)
    if (peer.session.get() != nullptr && peer.session->isInStep()) found.push_back(id);
  return found;
}

size_t KeepingInStep::holds() const {
  size_t held = 0;
  for (auto& [id, peer]: peers)
    if (peer.session.get() != nullptr) held += peer.session->holds();
  return held;
}

void KeepingInStep::taskFailed(kj::Exception&& e) { KJ_LOG(ERROR, "keeping in step", e); }

}  // namespace hearth::devices

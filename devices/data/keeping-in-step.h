#pragma once
// Keeps the operation log in step with all devices that there are links to: one stream to each
// (sync-session.h).

#include "devices/data/peer-streams.h"
#include "devices/data/sync-session.h"

namespace hearth::devices {

// First byte of a lane stream's header: what the stream is for.
constexpr kj::byte STREAM_KIND_SYNC = 6;

class KeepingInStep final: private storage::Log::Follower {
 public:
  explicit KeepingInStep(SyncSession::Surroundings around);

  // There is a session with the peer, or no more. Before the log is loaded nothing may come of it.
  void peerUp(const DeviceId& peer) { streams.peerUp(peer); }
  void peerDown(const DeviceId& peer) { streams.peerDown(peer); }
  void incoming(const DeviceId& peer, kj::Own<kj::AsyncIoStream> stream) {
    streams.incoming(peer, kj::mv(stream));
  }

  // Peers whose log is known to be the same as this one.
  std::vector<DeviceId> inStepWith() const;
  size_t holds() const;

 private:
  SyncSession::Surroundings around;
  PeerStreams<SyncSession> streams;

  void stored(const storage::Log::Stored& entry) override;
};

}  // namespace hearth::devices

#pragma once
// Keeps the operation log in step with all devices that there are links to: one stream to each
// (sync-session.h).

#include "devices/data/sync-session.h"

namespace hearth::devices {

// First byte of a lane stream's header: what the stream is for.
constexpr kj::byte STREAM_KIND_SYNC = 6;

class KeepingInStep final: private storage::Log::Follower, private kj::TaskSet::ErrorHandler {
 public:
  // A stream that has ended while there is a session is opened again after this: a disk was full, perhaps.
  static constexpr kj::Duration AGAIN_AFTER = 5 * kj::SECONDS;
  // To a peer that broke the rules.
  static constexpr kj::Duration FORGIVEN_AFTER = 60 * kj::SECONDS;

  explicit KeepingInStep(SyncSession::Surroundings around);
  ~KeepingInStep() noexcept(false);

  // There is a session with the peer, or no more. Before the log is loaded nothing may come of it.
  void peerUp(const DeviceId& peer);
  void peerDown(const DeviceId& peer);
  void incoming(const DeviceId& peer, kj::Own<kj::AsyncIoStream> stream);

  // Peers whose log is known to be the same as this one.
  std::vector<DeviceId> inStepWith() const;
  size_t holds() const;

 private:
  struct Peer {
    kj::Own<SyncSession> session;  // none: it has ended
    kj::Promise<void> running = nullptr;
  };
  SyncSession::Surroundings around;
  std::map<DeviceId, Peer> peers;
  kj::TaskSet tasks;

  bool opens(const DeviceId& peer) const { return around.self < peer; }
  void begin(const DeviceId& peer, kj::Own<kj::AsyncIoStream> stream);
  kj::Promise<void> run(DeviceId peer);
  void openAfter(const DeviceId& peer, kj::Duration time);
  void stored(const storage::Log::Stored& entry) override;
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices

#pragma once
// Who is at a document just now, on this device and the others, and what they say to each other: cursors, selections,
// "is typing". Nothing of it is written to a disk or outlives what it is about; a device that there is no link to is
// nowhere.

#include "devices/data/blob-circle.h"
#include "devices/data/peer-streams.h"
#include "devices/data/presence-session.h"

#include <map>

namespace hearth::devices {

// First byte of a lane stream's header: what the stream is for.
constexpr kj::byte STREAM_KIND_PRESENCE = 9;

class Presence final: private PresenceSession::Owner {
 public:
  static constexpr size_t PLACES_MAX = 256;  // of one device

  // All outlive this object.
  struct Surroundings {
    kj::Timer& timer;
    transport::Links& links;
    const BlobCircle& circle;
    DeviceId self;
  };
  explicit Presence(Surroundings around);
  ~Presence() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(Presence);

  void peerUp(const DeviceId& peer);
  void peerDown(const DeviceId& peer) { streams.peerDown(peer); }
  void incoming(const DeviceId& peer, kj::Own<kj::AsyncIoStream> stream);

  // An app of this device at a document, until leave(). Gives its place.
  // Errors: BAD_FORMAT for a name or a value that is too long; LIMIT_EXCEEDED.
  Result<uint32_t> enter(std::string document, std::string value);
  // Says something else of itself. Requires that it is there.
  Result<void> become(uint32_t place, std::string value);
  void leave(uint32_t place);

  // To whoever is there now, on every device but this one. Errors: BAD_FORMAT.
  Result<void> say(std::string document, std::string value);

  struct There {
    DeviceId device;
    uint32_t place;
    std::string value;

    bool operator==(const There&) const = default;
  };
  std::vector<There> at(const std::string& document) const;

  // Told of what happens at a document.
  class Watcher {
   public:
    virtual void changed() = 0;  // others are there, or say something else of themselves
    virtual void said(const DeviceId& device, const std::string& value) = 0;
  };
  // Until unwatch().
  void watch(const std::string& document, Watcher& watcher);
  void unwatch(const std::string& document, Watcher& watcher);

  size_t places() const;

 private:
  struct Place {
    std::string document, value;
  };
  using Places = std::map<uint32_t, Place>;

  Surroundings around;
  std::map<DeviceId, Places> all;
  std::map<std::string, std::set<Watcher*>> watchers;
  uint32_t next = 1;
  PeerStreams<PresenceSession> streams;

  void forget(const DeviceId& device);
  void tell(const std::string& document);
  Result<void> receive(const DeviceId& from, presence::Here& here);
  Result<void> receive(const DeviceId& from, presence::Gone& gone);
  Result<void> receive(const DeviceId& from, presence::Said& said);
  std::vector<uint32_t> ownPlaces() const override;
  presence::Message stateOf(uint32_t place) const override;
  Result<void> received(const DeviceId& from, presence::Message& message) override;
};

}  // namespace hearth::devices

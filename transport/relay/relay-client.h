#pragma once
// This device at blind relays: waits there to be called, and calls others.

#include "transport/discovery/finder.h"
#include "transport/link/dialer.h"
#include "transport/relay/hello.h"

#include <kj/timer.h>

#include <set>

namespace hearth::transport {

// The name at a relay of the device whose beacon it is. Of a slot that no beacon on a local link is
// made of: a listener there and a relay cannot put theirs together.
constexpr uint64_t relaySlot(uint64_t slot) { return slot | uint64_t{1} << 63; }

// What relay clients share. All outlive them.
struct RelayParts {
  kj::Timer& timer;
  const kj::Clock& clock;  // names change with wall time
  kj::Network& network;
  Finder::Beacons& beacons;

  uint64_t slot() const;
};

// Calls whoever waits at a relay.
class RelayConnector final: public Connector {
 public:
  // From the call to being joined, so that it is said here what has happened: the dialler gives up soon
  // after. Whoever waits has 3 s to say that it is there; one that does not is asked no more by the next call.
  static constexpr kj::Duration SAID_BEFORE = 500 * kj::MILLISECONDS;  // the dialler gives up
  static constexpr kj::Duration JOINED_WITHIN = Dialer::CONNECT_WITHIN - SAID_BEFORE;

  explicit RelayConnector(RelayParts parts): parts(parts) {}

  // Throws DISCONNECTED, with what happened and what to do.
  kj::Promise<kj::Own<kj::AsyncIoStream>> connect(const DeviceId& peer, const Path& path) override;

 private:
  RelayParts parts;

  kj::Promise<kj::Own<kj::AsyncIoStream>> join(DeviceId device, std::string relay);
};

// Waits at relays, so that others can call this device there.
class RelayWaiting final {
 public:
  static constexpr size_t RELAYS_MAX = 3;  // each costs a connection that stays open
  static constexpr kj::Duration AGAIN_AFTER = 5 * kj::SECONDS;  // doubling to
  static constexpr kj::Duration AGAIN_AFTER_MAX = 300 * kj::SECONDS;
  static constexpr kj::Duration CONNECT_WITHIN = 10 * kj::SECONDS;
  // NATs forget a silent connection, the daring ones after five minutes.
  static constexpr kj::Duration SAY_WAITING_EVERY = 240 * kj::SECONDS;

  class Host {
   public:
    // Somebody calls, as over any other carrier.
    virtual void calledThrough(const Path& relay, kj::Own<kj::AsyncIoStream> stream) = 0;
  };

  RelayWaiting(RelayParts parts, Host& host): parts(parts), host(host) {}

  // At these and no others, as HOST:PORT; those past RELAYS_MAX are left out.
  void waitAt(std::vector<std::string> relays);

  // The epoch is another: so are all names.
  void circleChanged();

  // Where it waits now.
  std::set<std::string> waitingAt() const;

 private:
  struct Place {
    bool isWaiting = false;
    kj::Promise<void> waiting = nullptr;
  };

  RelayParts parts;
  Host& host;
  std::map<std::string, Place> places;

  void begin(const std::string& relay);
  kj::Promise<void> waitFor(std::string relay);
  kj::Promise<void> waitOnce(std::string relay);
};

}  // namespace hearth::transport

#pragma once
// Presence towards one peer, over one stream. What changes while a message is under way is said once, as it is then.

#include "core/base/ids.h"
#include "devices/data/presence-message.h"
#include "transport/link/lane-stream.h"

#include <deque>
#include <set>
#include <vector>

namespace hearth::devices {

class PresenceSession final {
 public:
  static constexpr size_t UNSAID_MAX = 64;  // messages that wait; the oldest are dropped

  // Of what is said; outlives the session.
  class Owner {
   public:
    virtual std::vector<uint32_t> ownPlaces() const = 0;
    // HERE or GONE.
    virtual presence::Message stateOf(uint32_t place) const = 0;
    // Errors: of a peer that breaks the rules.
    virtual Result<void> received(const DeviceId& from, presence::Message& message) = 0;
  };

  PresenceSession(Owner& owner, const DeviceId& peer, kj::Own<kj::AsyncIoStream> stream);

  // Ends with the stream. Errors: of a peer that breaks the rules.
  kj::Promise<Result<void>> run() { return listen().exclusiveJoin(speak()); }

  void changed(uint32_t place);
  void say(const presence::Said& said);

 private:
  Owner& owner;
  DeviceId peer;
  kj::Own<kj::AsyncIoStream> stream;
  std::set<uint32_t> places;  // of this device, which the peer is told of
  std::deque<presence::Said> unsaid;
  transport::Bell toSay;

  kj::Maybe<presence::Message> next();
  kj::Promise<Result<void>> speak();
  kj::Promise<Result<void>> listen();
};

}  // namespace hearth::devices

#pragma once
// What a carrier may offer beyond a stream of bytes: to protect itself by keys of the handshake that
// ran over it.

#include "transport/datagram/packet.h"

namespace hearth::transport {

class Secured {
 public:
  // From here on what does not come under these keys is dropped where it arrives.
  virtual void secure(PacketKeys keys) = 0;

  // Something is sent at least so often, so that NATs on the way keep their mapping; none: an idle
  // carrier is silent.
  virtual void keepAlive(kj::Maybe<kj::Duration> every) = 0;

  // What the carrier has measured: the smoothed round trip in seconds, and bytes a second; below 0: not
  // measured.
  struct Facts {
    double rttS = -1;
    double bandwidthBps = -1;
  };
  virtual Facts facts() const = 0;

  // How much it may hold that it has not sent yet: what it holds cannot be overtaken by a more urgent lane.
  virtual void boundUnsent(size_t bytes) = 0;
};

}  // namespace hearth::transport

#pragma once
// A link that is up, as shown to people.

#include "transport/link/link.h"

namespace hearth::transport {

struct LinkView {
  DeviceId peer;
  Path path;
  std::string address;  // of the peer, as far as the path has one
  bool initiated;       // by this device
  kj::Duration upFor;
  // Of the session, so far: each but the first has taken it over, with all of its streams.
  uint32_t carriers;
  std::array<Session::Traffic, LANES> lanes;
  LiveCounts live;  // frames with deadlines
  Link::Facts facts;
};

}  // namespace hearth::transport

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
  Link::Facts facts;
};

}  // namespace hearth::transport

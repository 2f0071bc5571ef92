#pragma once
// Asks the router of this network to send calls from outside on to a port of this device: by NAT-PMP
// (RFC 6886, libnatpmp), and where it does not answer that, by UPnP (libminiupnpc).
//
// Both libraries wait for answers where they stand: everything here blocks, and belongs on a thread of
// its own (port-mapping.h).

#include <kj/common.h>
#include <kj/time.h>

#include <cstdint>
#include <string>

namespace hearth::transport {

// This device as the outside sees it. A port of 0 was not given.
struct OutsidePort {
  std::string host;  // a numeric IPv4 address
  uint16_t tcp = 0, udp = 0;
  kj::Duration lifetime = 0 * kj::SECONDS;  // of the mapping

  bool operator==(const OutsidePort&) const = default;
};

class Gateway final {
 public:
  static constexpr kj::Duration LIFETIME = 2 * kj::HOURS;  // asked for; RFC 6886 recommends it
  static constexpr kj::Duration ANSWER_WITHIN = 2 * kj::SECONDS;  // to each question

  // `natPmpAt`: an IPv4 address in network order, in place of the default route's; then UPnP is not
  // tried. For tests.
  explicit Gateway(kj::Maybe<uint32_t> natPmpAt = nullptr): natPmpAt(natPmpAt) {}

  // Maps TCP and UDP `port`, or renews that. None: there is no router, or it does not do such things.
  kj::Maybe<OutsidePort> open(uint16_t port);

  // Takes back what open() was given.
  void close(uint16_t port);

 private:
  enum class Spoken : uint8_t { NOTHING, NAT_PMP, UPNP };
  kj::Maybe<uint32_t> natPmpAt;
  Spoken spoken = Spoken::NOTHING;  // by the router, the last time
};

}  // namespace hearth::transport

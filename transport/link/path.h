#pragma once
// One way to a peer, as text and as a value:
//
//   192.0.2.7:4711          TCP; a name or [IPv6] may stand there too
//   udp:192.0.2.7:4711      UDP
//   tls:192.0.2.7:443       TLS over TCP, for networks that pass nothing else
//   via:ABCDEFG-...         through a member of the circle that has a link to both (its id)
//   relay:192.0.2.9:4712    through a blind relay, where the peer waits under a name that changes

#include "core/base/ids.h"
#include "core/base/result.h"

#include <kj/string.h>

#include <string>
#include <vector>

namespace hearth::transport {

struct Path {
  // The smaller the better: what goes straight is faster than what does not, and TCP is the carrier
  // that everything was measured with.
  enum class Kind : uint8_t { TCP, UDP, TLS, MEMBER, RELAY };
  static constexpr size_t KINDS = 5;
  static constexpr size_t TEXT_BYTES_MAX = 255;

  Kind kind = Kind::TCP;
  std::string address;  // HOST:PORT, or the id of the member in its display form

  static Path through(const DeviceId& member);

  // Errors: BAD_LENGTH, BAD_FORMAT: the text names no way.
  static Result<Path> parse(const std::string& text);

  bool operator==(const Path&) const = default;

  // Over nobody else's device.
  bool isDirect() const { return kind < Kind::MEMBER; }
  bool isBetterThan(const Path& other) const { return isDirect() && !other.isDirect(); }

  std::string text() const;

  // The member, for a path through one.
  kj::Maybe<DeviceId> member() const;
};

// "tcp", "udp", "tls", "member", "relay".
kj::StringPtr nameOf(Path::Kind kind);

}  // namespace hearth::transport

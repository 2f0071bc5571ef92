#pragma once
// What devices on one local link call out to each other, without asking anybody: a part of the Wire
// seam. The real side is DNS-SD over multicast DNS (avahi-link.h), the simulated one a small protocol
// of its own. Whoever is on the link reads all of it, and may say anything.

#include <kj/memory.h>
#include <kj/string.h>

#include <string>
#include <vector>

namespace hearth::transport {

class LocalLink {
 public:
  enum class Service : uint8_t {
    LINK,       // _hearth._tcp: devices of circles
    PAIRING,    // _hearth-pair._tcp: new ones that show a code
    DATAGRAMS,  // _hearth._udp: devices of circles that answer by UDP
  };

  static constexpr size_t NAME_BYTES_MAX = 63;  // a label of DNS
  static constexpr size_t NAMES_MAX = 512;  // of a service, at a time; what is beyond is not heard

  // Called from the loop, never within a call of the link. A name may be any bytes.
  class Listener {
   public:
    // Somebody is advertised by `name`. `places`, "HOST:PORT", are what it was followed to so far.
    virtual void heard(const std::string& name, std::vector<std::string> places) = 0;
    virtual void gone(const std::string& name) = 0;
  };

  // Listening, until it is dropped.
  class Browsing {
   public:
    virtual ~Browsing() noexcept(false) = default;
    // Finds out where the name leads to, and goes on doing so until it is not followed any more. Only
    // then packets are sent for it.
    virtual void follow(const std::string& name) = 0;
    virtual void unfollow(const std::string& name) = 0;
  };

  // This device is to be found by `name` at `port` of whatever addresses it has, in place of what it
  // was advertised by for that service before. Nothing else goes out: its host name is drawn by chance,
  // anew each time. What is said in one turn of the loop goes out together, so that no name of one slot
  // is ever seen beside one of the next.
  virtual void advertise(Service service, const std::string& name, uint16_t port) = 0;
  virtual void withdraw(Service service) = 0;

  // Only others are heard. The link and `listener` outlive what is returned.
  virtual kj::Own<Browsing> browse(Service service, Listener& listener) = 0;
};

}  // namespace hearth::transport

#include "transport/wire/gateway.h"

#include <kj/debug.h>

#include <algorithm>
#include <arpa/inet.h>
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <natpmp.h>
#include <poll.h>

namespace hearth::transport {

namespace {

constexpr auto LIFETIME_S = static_cast<uint32_t>(Gateway::LIFETIME / kj::SECONDS);
constexpr auto ANSWER_MS = static_cast<int>(Gateway::ANSWER_WITHIN / kj::MILLISECONDS);

// One conversation with a router by NAT-PMP.
class NatPmp final {
 public:
  explicit NatPmp(kj::Maybe<uint32_t> at) {
    open = initnatpmp(&state, at == nullptr ? 0 : 1, at.orDefault(0)) == 0;
  }
  ~NatPmp() {
    if (open) closenatpmp(&state);
  }
  KJ_DISALLOW_COPY_AND_MOVE(NatPmp);

  kj::Maybe<std::string> address() {
    if (!open || sendpublicaddressrequest(&state) < 0) return nullptr;
    KJ_IF_MAYBE(response, answer()) {
      char text[INET_ADDRSTRLEN] = "";
      inet_ntop(AF_INET, &response->pnu.publicaddress.addr, text, sizeof(text));
      return std::string(text);
    }
    return nullptr;
  }

  // The port outside; a lifetime of 0 takes the mapping back.
  uint16_t map(int protocol, uint16_t port, uint32_t lifetimeS, kj::Duration& granted) {
    auto outside = lifetimeS == 0 ? uint16_t{0} : port;
    if (!open || sendnewportmappingrequest(&state, protocol, port, outside, lifetimeS) < 0)
      return 0;
    KJ_IF_MAYBE(response, answer()) {
      auto& mapping = response->pnu.newportmapping;
      granted = std::min<kj::Duration>(granted, mapping.lifetime * kj::SECONDS);
      return mapping.mappedpublicport;
    }
    return 0;
  }

 private:
  natpmp_t state = {};
  bool open;

  // The library asks again by itself, for a minute in all; a router that is there answers at once.
  kj::Maybe<natpmpresp_t> answer() {
    natpmpresp_t response = {};
    for (int leftMs = ANSWER_MS; leftMs > 0;) {
      struct timeval wait = {};
      getnatpmprequesttimeout(&state, &wait);
      auto waitMs = static_cast<int>(wait.tv_sec * 1'000 + wait.tv_usec / 1'000) + 1;
      waitMs = std::clamp(waitMs, 1, leftMs);
      struct pollfd readable = {.fd = state.s, .events = POLLIN};
      poll(&readable, 1, waitMs);
      int result = readnatpmpresponseorretry(&state, &response);
      if (result == 0) return response;
      if (result != NATPMP_TRYAGAIN) return nullptr;
      leftMs -= waitMs;
    }
    return nullptr;
  }
};

// One conversation with a router by UPnP: found by multicast, then asked by HTTP.
class Upnp final {
 public:
  Upnp() {
    int error = 0;
    auto found = upnpDiscover(ANSWER_MS, nullptr, nullptr, UPNP_LOCAL_PORT_ANY, 0, 2, &error);
    KJ_DEFER(freeUPNPDevlist(found));
    if (found == nullptr) return;
    auto kind = UPNP_GetValidIGD(found, &urls, &data, own, sizeof(own));
    constexpr int CONNECTED = 1;
    valid = kind != 0;
    usable = kind == CONNECTED;
  }
  ~Upnp() {
    if (valid) FreeUPNPUrls(&urls);
  }
  KJ_DISALLOW_COPY_AND_MOVE(Upnp);

  kj::Maybe<std::string> address() {
    constexpr size_t ADDRESS_BYTES = 64;
    char text[ADDRESS_BYTES] = "";
    struct in_addr parsed;
    if (!usable || UPNP_GetExternalIPAddress(urls.controlURL, data.first.servicetype, text) != 0 ||
        inet_pton(AF_INET, text, &parsed) != 1)
      return nullptr;
    return std::string(text);
  }

  uint16_t map(const char* protocol, uint16_t port) {
    auto number = std::to_string(port), lease = std::to_string(LIFETIME_S);
    auto add = [&](const char* seconds) {
      return usable &&
          UPNP_AddPortMapping(urls.controlURL, data.first.servicetype, number.c_str(),
              number.c_str(), own, "hearth", protocol, nullptr, seconds) == 0;
    };
    // Some know only mappings that stay until they are taken back.
    return add(lease.c_str()) || add("0") ? port : 0;
  }
  void unmap(const char* protocol, uint16_t port) {
    auto number = std::to_string(port);
    if (usable)
      UPNP_DeletePortMapping(
          urls.controlURL, data.first.servicetype, number.c_str(), protocol, nullptr);
  }

 private:
  struct UPNPUrls urls = {};
  struct IGDdatas data = {};
  char own[64] = "";  // this device's address, as the router sees it
  bool valid = false, usable = false;
};

kj::Maybe<OutsidePort> unlessNone(OutsidePort port) {
  if (port.tcp == 0 && port.udp == 0) return nullptr;
  return port;
}

kj::Maybe<OutsidePort> byNatPmp(kj::Maybe<uint32_t> at, uint16_t port) {
  NatPmp router(at);
  KJ_IF_MAYBE(host, router.address()) {
    OutsidePort result{.host = *host, .lifetime = Gateway::LIFETIME};
    result.tcp = router.map(NATPMP_PROTOCOL_TCP, port, LIFETIME_S, result.lifetime);
    result.udp = router.map(NATPMP_PROTOCOL_UDP, port, LIFETIME_S, result.lifetime);
    return unlessNone(kj::mv(result));
  }
  return nullptr;
}

kj::Maybe<OutsidePort> byUpnp(uint16_t port) {
  Upnp router;
  KJ_IF_MAYBE(host, router.address()) {
    return unlessNone({.host = *host,
        .tcp = router.map("TCP", port),
        .udp = router.map("UDP", port),
        .lifetime = Gateway::LIFETIME});
  }
  return nullptr;
}

}  // namespace

kj::Maybe<OutsidePort> Gateway::open(uint16_t port) {
  auto found = byNatPmp(natPmpAt, port);
  spoken = found == nullptr ? Spoken::NOTHING : Spoken::NAT_PMP;
  if (found != nullptr || natPmpAt != nullptr) return found;
  found = byUpnp(port);
  if (found != nullptr) spoken = Spoken::UPNP;
  return found;
}

void Gateway::close(uint16_t port) {
  if (spoken == Spoken::NAT_PMP) {
    NatPmp router(natPmpAt);
    kj::Duration ignored = LIFETIME;
    router.map(NATPMP_PROTOCOL_TCP, port, 0, ignored);
    router.map(NATPMP_PROTOCOL_UDP, port, 0, ignored);
  } else if (spoken == Spoken::UPNP) {
    Upnp router;
    router.unmap("TCP", port);
    router.unmap("UDP", port);
  }
  spoken = Spoken::NOTHING;
}

}  // namespace hearth::transport

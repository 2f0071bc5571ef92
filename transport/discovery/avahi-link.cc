#include "transport/discovery/avahi-link.h"

#include "crypto/identity/display.h"
#include "transport/discovery/avahi-browsing.h"
#include "transport/discovery/uv-avahi-poll.h"
#include "transport/wire/address-watch.h"

#include <kj/debug.h>

#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-core/log.h>
#include <avahi-core/publish.h>
#include <map>
#include <netinet/in.h>

namespace hearth::transport {

namespace {

constexpr size_t HOST_NAME_BYTES = 10;  // of chance

void logAvahi(AvahiLogLevel level, const char* text) {
  if (level <= AVAHI_LOG_ERROR) {
    KJ_LOG(WARNING, "DNS-SD", text);
  } else {
    KJ_LOG(INFO, "DNS-SD", text);
  }
}

// Nothing that tells this machine from another one.
struct QuietConfig final: public AvahiServerConfig {
  explicit QuietConfig(const std::string& hostName) {
    avahi_server_config_init(this);
    avahi_free(host_name);
    host_name = avahi_strdup(hostName.c_str());
    publish_addresses = publish_hinfo = publish_workstation = publish_domain = 0;
    add_service_cookie = enable_wide_area = 0;  // the latter would ask DNS servers
  }
  ~QuietConfig() noexcept { avahi_server_config_free(this); }
  KJ_DISALLOW_COPY_AND_MOVE(QuietConfig);
};

class AvahiLink final: public LocalLink {
 public:
  AvahiLink(UvEventPort& port, Entropy& entropy)
      : entropy(entropy),
        poll(avahiPollOn(port)),
        watch(port) {
    avahi_set_log_function(&logAvahi);
    QuietConfig config(drawHostName());
    int error = 0;
    server = avahi_server_new(&poll, &config, &serverChanged, this, &error);
    if (server == nullptr) KJ_LOG(WARNING, "the local link cannot be used", avahi_strerror(error));
    following = followAddresses().eagerlyEvaluate(
        [](kj::Exception&& e) { KJ_LOG(ERROR, "addresses are not followed any more", e); });
  }
  ~AvahiLink() noexcept(false) {
    if (server != nullptr) avahi_server_free(server);
  }

  bool works() const { return server != nullptr; }

  void advertise(Service service, const std::string& name, uint16_t port) override {
    adverts[service] = {name, port};
    renewSoon();
  }

  void withdraw(Service service) override {
    if (adverts.erase(service) > 0) renewSoon();
  }

  kj::Own<Browsing> browse(Service service, Listener& listener) override {
    return browseWithAvahi(server, typeOf(service), listener);
  }

 private:
  struct Advert {
    std::string name;
    uint16_t port;
  };

  Entropy& entropy;
  AvahiPoll poll;
  AvahiServer* server = nullptr;
  AvahiSEntryGroup* group = nullptr;
  std::map<Service, Advert> adverts;
  AddressWatch watch;
  kj::Promise<void> following = nullptr;
  kj::Promise<void> renewing = nullptr;

  static const char* typeOf(Service service) {
    switch (service) {
      case Service::LINK:
        return "_hearth._tcp";
      case Service::PAIRING:
        return "_hearth-pair._tcp";
      case Service::DATAGRAMS:
        return "_hearth._udp";
    }
    KJ_UNREACHABLE;
  }

  std::string drawHostName() {
    kj::byte bytes[HOST_NAME_BYTES];
    entropy.fill(bytes);
    return crypto::base32(bytes).cStr();
  }

  void renewSoon() {
    renewing = kj::evalLater([this]() { renew(); }).eagerlyEvaluate([](kj::Exception&& e) {
      KJ_LOG(ERROR, "this device is not advertised any more", e);
    });
  }

  // What is advertised now, and nothing else. The host name is a new one each time: it must not lead from
  // one slot's name to the next one's.
  void renew() {
    if (group != nullptr) avahi_s_entry_group_reset(group);
    if (adverts.empty()) return;
    if (group == nullptr) group = avahi_s_entry_group_new(server, &groupChanged, this);
    if (group == nullptr) return complain(avahi_server_errno(server));
    complain(avahi_server_set_host_name(server, drawHostName().c_str()));
    for (auto& link: linkAddresses()) addAddress(link);
    for (auto& [service, advert]: adverts) {
      complain(avahi_server_add_service_strlst(server, group, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC,
          static_cast<AvahiPublishFlags>(0), advert.name.c_str(), typeOf(service), nullptr, nullptr,
          advert.port, nullptr));
    }
    complain(avahi_s_entry_group_commit(group));
  }

  void addAddress(const LinkAddress& link) {
    AvahiAddress address = {};
    bool isV4 = link.address.family() == AF_INET;
    address.proto = isV4 ? AVAHI_PROTO_INET : AVAHI_PROTO_INET6;
    if (isV4) {
      auto& given = reinterpret_cast<const struct sockaddr_in&>(link.address.storage).sin_addr;
      memcpy(&address.data.ipv4, &given, sizeof(given));
    } else {
      auto& given = reinterpret_cast<const struct sockaddr_in6&>(link.address.storage).sin6_addr;
      memcpy(&address.data.ipv6, &given, sizeof(given));
    }
    complain(avahi_server_add_address(server, group, static_cast<AvahiIfIndex>(link.interface),
        address.proto, AVAHI_PUBLISH_NO_REVERSE, nullptr, &address));
  }

  kj::Promise<void> followAddresses() {
    for (;;) {
      co_await watch.changed();
      renew();
    }
  }

  static void complain(int result) {
    if (result < 0) KJ_LOG(WARNING, "this device is not advertised", avahi_strerror(result));
  }

  // A name that somebody else claims stays unadvertised until the next slot.
  static void groupChanged(AvahiServer*, AvahiSEntryGroup*, AvahiEntryGroupState state, void*) {
    if (state == AVAHI_ENTRY_GROUP_COLLISION || state == AVAHI_ENTRY_GROUP_FAILURE)
      KJ_LOG(WARNING, "somebody on the local link is advertised by this device's name");
  }

  // Its host name has no records of the server's own, over which it could fall out with anybody.
  static void serverChanged(AvahiServer*, AvahiServerState, void*) {}
};

}  // namespace

kj::Maybe<kj::Own<LocalLink>> openAvahiLink(UvEventPort& port, Entropy& entropy) {
  auto link = kj::heap<AvahiLink>(port, entropy);
  if (!link->works()) return nullptr;
  return kj::Own<LocalLink>(kj::mv(link));
}

}  // namespace hearth::transport

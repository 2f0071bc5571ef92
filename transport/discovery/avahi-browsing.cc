#include "transport/discovery/avahi-browsing.h"

#include <kj/async.h>
#include <kj/debug.h>

#include <algorithm>
#include <avahi-core/lookup.h>
#include <map>
#include <net/if.h>
#include <netinet/in.h>
#include <set>

namespace hearth::transport {

namespace {

constexpr size_t VIAS_MAX = 16;  // interfaces and families by which one name is heard

// An address of the link alone means something on its interface only.
std::string placeOf(const AvahiAddress& address, AvahiIfIndex interface, uint16_t port) {
  char host[AVAHI_ADDRESS_STR_MAX];
  avahi_address_snprint(host, sizeof(host), &address);
  auto number = ":" + std::to_string(port);
  if (address.proto == AVAHI_PROTO_INET) return host + number;
  auto& bytes = reinterpret_cast<const struct in6_addr&>(address.data.ipv6.address);
  char name[IF_NAMESIZE];
  std::string zone;
  if (IN6_IS_ADDR_LINKLOCAL(&bytes) &&
      if_indextoname(static_cast<unsigned>(interface), name) != nullptr)
    zone = std::string("%") + name;
  return "[" + std::string(host) + zone + "]" + number;
}

class AvahiBrowsing final: public LocalLink::Browsing {
 public:
  AvahiBrowsing(AvahiServer* server, const char* type, LocalLink::Listener& listener)
      : server(server),
        type(type),
        listener(listener),
        browser(avahi_s_service_browser_new(server, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, type,
            nullptr, static_cast<AvahiLookupFlags>(0), &browsed, this)),
        telling(tell().eagerlyEvaluate([](kj::Exception&& e) {
          KJ_LOG(ERROR, "the local link is not listened to any more", e);
        })) {
    if (browser == nullptr) KJ_LOG(WARNING, "the local link cannot be listened to", type);
  }
  ~AvahiBrowsing() noexcept(false) {
    for (auto& [name, heard]: names) stopLookups(heard);
    if (browser != nullptr) avahi_s_service_browser_free(browser);
  }

  void follow(const std::string& name) override {
    auto known = names.find(name);
    if (known == names.end() || known->second.followed) return;
    known->second.followed = true;
    for (auto& [via, lookup]: known->second.vias) startLookup(lookup);
  }

  void unfollow(const std::string& name) override {
    auto known = names.find(name);
    if (known == names.end()) return;
    known->second.followed = false;
    stopLookups(known->second);
  }

 private:
  struct Via {
    AvahiIfIndex interface;
    AvahiProtocol protocol;
    auto operator<=>(const Via&) const = default;
  };
  struct Lookup {
    AvahiBrowsing* owner;
    std::string name;
    Via via;
    AvahiSServiceResolver* resolver = nullptr;
    std::string place;  // once it was found
  };
  struct Heard {
    std::map<Via, Lookup> vias;  // lookups stay where they are: Avahi knows their addresses
    bool followed = false;
  };

  AvahiServer* server;
  const char* type;
  LocalLink::Listener& listener;
  std::map<std::string, Heard> names;
  std::set<std::string> changed;  // and not told yet
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> bell;
  AvahiSServiceBrowser* browser;
  kj::Promise<void> telling;

  kj::Promise<void> tell() {
    for (;;) {
      while (!changed.empty()) {
        auto name = changed.extract(changed.begin()).value();
        auto known = names.find(name);
        if (known == names.end()) {
          listener.gone(name);
        } else {
          listener.heard(name, placesOf(known->second));
        }
      }
      auto paf = kj::newPromiseAndFulfiller<void>();
      bell = kj::mv(paf.fulfiller);
      co_await paf.promise;
    }
  }

  void note(const std::string& name) {
    changed.insert(name);
    KJ_IF_MAYBE(waiting, bell) (*waiting)->fulfill();
  }

  static std::vector<std::string> placesOf(const Heard& heard) {
    std::vector<std::string> places;
    for (auto& [via, lookup]: heard.vias) {
      bool isNew = std::ranges::find(places, lookup.place) == places.end();
      if (!lookup.place.empty() && isNew) places.push_back(lookup.place);
    }
    return places;
  }

  void appeared(const std::string& name, Via via) {
    if (!names.contains(name) && names.size() >= LocalLink::NAMES_MAX) makeRoom();
    auto& heard = names[name];
    if (heard.vias.size() >= VIAS_MAX || heard.vias.contains(via)) return;
    auto& lookup = heard.vias.emplace(via, Lookup{this, name, via}).first->second;
    if (heard.followed) startLookup(lookup);
    note(name);
  }

  // What nobody follows gives way; its end is told all the same.
  void makeRoom() {
    auto victim = std::ranges::find_if(names, [](auto& entry) { return !entry.second.followed; });
    if (victim == names.end()) victim = names.begin();
    stopLookups(victim->second);
    auto name = victim->first;
    names.erase(victim);
    note(name);
  }

  void disappeared(const std::string& name, Via via) {
    auto known = names.find(name);
    if (known == names.end()) return;
    auto lookup = known->second.vias.find(via);
    if (lookup == known->second.vias.end()) return;
    stopLookup(lookup->second);
    known->second.vias.erase(lookup);
    if (known->second.vias.empty()) names.erase(known);
    note(name);
  }

  void startLookup(Lookup& lookup) {
    constexpr auto NO_TXT = AVAHI_LOOKUP_NO_TXT;
    lookup.resolver =
        avahi_s_service_resolver_new(server, lookup.via.interface, lookup.via.protocol,
            lookup.name.c_str(), type, nullptr, lookup.via.protocol, NO_TXT, &resolved, &lookup);
  }

  static void stopLookup(Lookup& lookup) {
    if (lookup.resolver != nullptr) avahi_s_service_resolver_free(lookup.resolver);
    lookup.resolver = nullptr;
    lookup.place.clear();
  }

  static void stopLookups(Heard& heard) {
    for (auto& [via, lookup]: heard.vias) stopLookup(lookup);
  }

  static void browsed(AvahiSServiceBrowser*, AvahiIfIndex interface, AvahiProtocol protocol,
      AvahiBrowserEvent event, const char* name, const char*, const char*,
      AvahiLookupResultFlags flags, void* self) {
    auto browsing = static_cast<AvahiBrowsing*>(self);
    bool isNew = event == AVAHI_BROWSER_NEW;
    if ((!isNew && event != AVAHI_BROWSER_REMOVE) || (flags & AVAHI_LOOKUP_RESULT_LOCAL)) return;
    if (isNew) {
      browsing->appeared(name, {interface, protocol});
    } else {
      browsing->disappeared(name, {interface, protocol});
    }
  }

  static void resolved(AvahiSServiceResolver*, AvahiIfIndex interface, AvahiProtocol,
      AvahiResolverEvent event, const char*, const char*, const char*, const char*,
      const AvahiAddress* address, uint16_t port, AvahiStringList*, AvahiLookupResultFlags,
      void* self) {
    auto lookup = static_cast<Lookup*>(self);
    // A failure is a time-out: the lookup goes on, and may find it later.
    if (event != AVAHI_RESOLVER_FOUND || address == nullptr) return;
    lookup->place = placeOf(*address, interface, port);
    lookup->owner->note(lookup->name);
  }
};

}  // namespace

kj::Own<LocalLink::Browsing> browseWithAvahi(
    AvahiServer* server, const char* type, LocalLink::Listener& listener) {
  return kj::heap<AvahiBrowsing>(server, type, listener);
}

}  // namespace hearth::transport

// Two devices on this machine's own network, by the shipping DNS-SD. Skipped where nobody may listen to
// multicast.
#include "transport/discovery/avahi-link.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <map>

namespace hearth::transport {
namespace {

struct Listening final: public LocalLink::Listener {
  std::map<std::string, std::vector<std::string>> names;
  size_t lost = 0;

  void heard(const std::string& name, std::vector<std::string> places) override {
    names[name] = std::move(places);
  }
  void gone(const std::string& name) override { lost += names.erase(name); }
};

struct Two {
  UvLoop uv;
  SystemEntropy entropy;
  kj::Own<LocalLink> phone = open(), laptop = open();
  Listening listening;

  kj::Own<LocalLink> open() {
    auto link = openAvahiLink(uv.port, entropy);
    if (link == nullptr) SKIP("nobody may listen to multicast here");
    return kj::mv(KJ_ASSERT_NONNULL(link));
  }
  std::string someName() { return "T" + std::to_string(entropy.draw<uint64_t>()); }

  template <typename Condition>
  bool eventually(Condition&& condition) {
    for (int i = 0; i < 500 && !condition(); ++i)
      uv.timer().afterDelay(10 * kj::MILLISECONDS).wait(uv.waitScope);
    return condition();
  }
  // Whether names pass at all: a machine without a network that knows multicast has no link.
  void needNetwork(const std::string& name) {
    if (!eventually([&]() { return listening.names.contains(name); }))
      SKIP("no network here carries multicast");
  }
};

TEST_CASE("a device hears the name that another one is advertised by, and finds it where it is") {
  Two two;
  auto name = two.someName();
  auto browsing = two.phone->browse(LocalLink::Service::LINK, two.listening);
  two.laptop->advertise(LocalLink::Service::LINK, name, 4'711);
  two.needNetwork(name);
  REQUIRE(two.listening.names[name].empty());
  browsing->follow(name);
  REQUIRE(two.eventually([&]() { return !two.listening.names[name].empty(); }));
  for (auto& place: two.listening.names[name]) REQUIRE(place.ends_with(":4711"));
}

TEST_CASE("a device that is advertised by another name is not there by the old one") {
  Two two;
  auto before = two.someName(), after = two.someName();
  auto browsing = two.phone->browse(LocalLink::Service::LINK, two.listening);
  two.laptop->advertise(LocalLink::Service::LINK, before, 4'711);
  two.needNetwork(before);
  two.laptop->advertise(LocalLink::Service::LINK, after, 4'711);
  REQUIRE(two.eventually([&]() {
    return two.listening.names.contains(after) && !two.listening.names.contains(before);
  }));
}

TEST_CASE("a device that is withdrawn, or ends, is gone") {
  Two two;
  auto first = two.someName(), second = two.someName();
  auto browsing = two.phone->browse(LocalLink::Service::PAIRING, two.listening);
  two.laptop->advertise(LocalLink::Service::PAIRING, first, 4'711);
  two.needNetwork(first);
  two.laptop->withdraw(LocalLink::Service::PAIRING);
  REQUIRE(two.eventually([&]() { return !two.listening.names.contains(first); }));
  two.laptop->advertise(LocalLink::Service::PAIRING, second, 4'711);
  REQUIRE(two.eventually([&]() { return two.listening.names.contains(second); }));
  two.laptop = nullptr;
  REQUIRE(two.eventually([&]() { return !two.listening.names.contains(second); }));
}

TEST_CASE("a device does not hear itself, nor another service") {
  Two two;
  auto own = two.someName(), others = two.someName(), pairing = two.someName();
  auto browsing = two.phone->browse(LocalLink::Service::LINK, two.listening);
  two.phone->advertise(LocalLink::Service::LINK, own, 1);
  two.laptop->advertise(LocalLink::Service::PAIRING, pairing, 2);
  two.laptop->advertise(LocalLink::Service::LINK, others, 3);
  two.needNetwork(others);
  REQUIRE_FALSE(two.listening.names.contains(own));
  REQUIRE_FALSE(two.listening.names.contains(pairing));
}

}  // namespace
}  // namespace hearth::transport

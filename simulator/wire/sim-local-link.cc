#include "simulator/wire/sim-local-link.h"

#include <kj/debug.h>

#include <netinet/in.h>

namespace hearth::sim {

namespace {

constexpr size_t HEAD_BYTES = 4;
constexpr int ASKED_TIMES = 3;
constexpr int SAID_TIMES = 2;

struct in_addr networkOrder(Ip ip) { return {htonl(ip)}; }

}  // namespace

class SimLocalLink::SimBrowsing final: public Browsing {
 public:
  SimBrowsing(SimLocalLink& link, Service service, Listener& listener)
      : link(link),
        service(service),
        listener(listener),
        telling(link) {}
  ~SimBrowsing() noexcept(false) { link.browsings.erase(service); }

  // Where somebody is was heard with the name: following costs no packet here.
  void follow(const std::string& name) override {
    auto known = names.find(name);
    if (known == names.end() || known->second.followed) return;
    known->second.followed = true;
    telling.add(kj::evalLater([this, name]() { tell(name); }));
  }
  void unfollow(const std::string& name) override {
    auto known = names.find(name);
    if (known != names.end()) known->second.followed = false;
  }

  void here(const std::string& name, std::string place) {
    if (!names.contains(name) && names.size() >= NAMES_MAX) gone(names.begin()->first);
    auto& heard = names[name];
    bool isNew = heard.places.empty();
    bool moved = heard.places.insert(place).second;
    if (heard.places.size() > PLACES_MAX) heard.places = {std::move(place)};
    if (isNew || (moved && heard.followed)) tell(name);
  }
  void gone(std::string name) {
    if (names.erase(name) > 0) listener.gone(name);
  }

 private:
  static constexpr size_t PLACES_MAX = 4;
  struct Heard {
    std::set<std::string> places;
    bool followed = false;
  };

  SimLocalLink& link;
  Service service;
  Listener& listener;
  std::map<std::string, Heard> names;
  kj::TaskSet telling;

  void tell(const std::string& name) {
    auto known = names.find(name);
    if (known == names.end()) return;
    auto& heard = known->second;
    std::vector<std::string> places;
    if (heard.followed) places.assign(heard.places.begin(), heard.places.end());
    listener.heard(name, std::move(places));
  }
};

SimLocalLink::SimLocalLink(Surroundings around)
    : around(around),
      chance(Chance::of(around.wire.seed, "local link", around.host.index())),
      port(around.stack.datagrams.bind(PORT)),
      tasks(*this) {
  struct ip_mreq membership = {networkOrder(GROUP), networkOrder(0)};
  port->setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof(membership));
  tasks.add(receive());
  tasks.add(followNetworks());
}

SimLocalLink::~SimLocalLink() noexcept(false) = default;

void SimLocalLink::advertise(Service service, const std::string& name, uint16_t port) {
  withdraw(service);
  adverts[service] = {name, port};
  tasks.add(announce(service, SAID_TIMES));
}

void SimLocalLink::withdraw(Service service) {
  auto known = adverts.find(service);
  if (known == adverts.end()) return;
  say(Kind::GONE, service, known->second);
  adverts.erase(known);
}

kj::Own<transport::LocalLink::Browsing> SimLocalLink::browse(Service service, Listener& listener) {
  auto browsing = kj::heap<SimBrowsing>(*this, service, listener);
  KJ_REQUIRE(browsings.emplace(service, browsing).second, "that service is listened to already");
  tasks.add(ask(service));
  return browsing;
}

kj::Promise<void> SimLocalLink::announce(Service service, int times) {
  auto name = adverts[service].name;
  for (; times > 0; --times) {
    auto known = adverts.find(service);
    if (known == adverts.end() || known->second.name != name) co_return;
    say(Kind::HERE, service, known->second);
    if (times > 1) co_await around.timer.afterDelay(REPEAT_AFTER);
  }
}

kj::Promise<void> SimLocalLink::ask(Service service) {
  auto pause = REPEAT_AFTER;
  for (int i = 0; i < ASKED_TIMES; ++i, pause *= 2) {
    if (!browsings.contains(service)) co_return;
    say(Kind::ASK, service, {});
    co_await around.timer.afterDelay(pause);
  }
}

kj::Promise<void> SimLocalLink::answer(Service service) {
  co_await around.timer.afterDelay(chance.between(0 * kj::MILLISECONDS, ANSWER_WITHIN));
  if (adverts.contains(service)) co_await announce(service, 1);
}

// As an interface that goes up makes a responder begin anew.
kj::Promise<void> SimLocalLink::followNetworks() {
  auto known = around.wire.terrain.attachments(around.host.index());
  for (;;) {
    co_await around.wire.terrain.changed();
    auto now = around.wire.terrain.attachments(around.host.index());
    if (now == known) continue;
    known = now;
    for (auto& [service, advert]: adverts) tasks.add(announce(service, SAID_TIMES));
    for (auto& [service, browsing]: browsings) tasks.add(ask(service));
  }
}

kj::Promise<void> SimLocalLink::receive() {
  auto receiver = port->makeReceiver({.content = DATAGRAM_BYTES_MAX, .ancillary = 0});
  for (;;) {
    co_await receiver->receive();
    auto content = receiver->getContent();
    auto from = kj::downcast<SimAddress>(receiver->getSource()).endpoint.ip;
    if (!content.isTruncated) take(content.value, from);
  }
}

// Somebody on the way may have changed it.
void SimLocalLink::take(kj::ArrayPtr<const kj::byte> bytes, Ip from) {
  bool isOwn = Terrain::deviceAt(from) == around.host.index();
  if (isOwn || bytes.size() < HEAD_BYTES || bytes[1] > static_cast<uint8_t>(Service::DATAGRAMS))
    return;
  auto service = static_cast<Service>(bytes[1]);
  auto its = static_cast<uint16_t>(bytes[2] | bytes[3] << 8);
  std::string name(
      bytes.slice(HEAD_BYTES, bytes.size()).asChars().begin(), bytes.size() - HEAD_BYTES);
  auto listening = browsings.find(service);
  switch (bytes[0]) {
    case static_cast<uint8_t>(Kind::ASK):
      if (adverts.contains(service)) tasks.add(answer(service));
      break;
    case static_cast<uint8_t>(Kind::HERE):
      if (listening != browsings.end())
        listening->second->here(name, kj::str(toText(from), ':', its).cStr());
      break;
    case static_cast<uint8_t>(Kind::GONE):
      if (listening != browsings.end()) listening->second->gone(name);
      break;
    default:
      break;
  }
}

void SimLocalLink::taskFailed(kj::Exception&& e) { KJ_LOG(ERROR, "the local link has failed", e); }

// On each network that the device is on.
void SimLocalLink::say(Kind kind, Service service, const Advert& advert) {
  if (around.dying || !around.host.isOn()) return;
  kj::Vector<kj::byte> bytes;
  bytes.add(static_cast<kj::byte>(kind));
  bytes.add(static_cast<kj::byte>(service));
  bytes.add(static_cast<kj::byte>(advert.port));
  bytes.add(static_cast<kj::byte>(advert.port >> 8));
  bytes.addAll(kj::arrayPtr(advert.name.data(), advert.name.size()).asBytes());
  auto self = around.host.index();
  SimAddress group(around.stack, {GROUP, PORT});
  for (auto network: around.wire.terrain.attachments(self)) {
    auto speaksOn = networkOrder(Terrain::addressIn(network, self));
    port->setsockopt(IPPROTO_IP, IP_MULTICAST_IF, &speaksOn, sizeof(speaksOn));
    tasks.add(port->send(bytes.begin(), bytes.size(), group).ignoreResult());
  }
}

}  // namespace hearth::sim

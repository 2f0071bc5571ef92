#pragma once
// The local link of one process of a world: what DNS-SD does, by a protocol of one datagram each over
// the simulated multicast, which loses some and does not pass everywhere.
//
//   u8 kind: 0 ASK, 1 HERE, 2 GONE | u8 service | u16 port | name
//
// HERE is said twice when a device is advertised or its networks are others, and in answer to ASK, which
// is said three times by whoever begins to listen. Otherwise it is silent.

#include "simulator/wire/sim-network.h"
#include "transport/discovery/local-link.h"

#include <kj/timer.h>

namespace hearth::sim {

class SimLocalLink final: public transport::LocalLink, private kj::TaskSet::ErrorHandler {
 public:
  static constexpr uint16_t PORT = 5'353;
  static constexpr Ip GROUP = 0xe00000fb;
  static constexpr size_t DATAGRAM_BYTES_MAX = 4 + NAME_BYTES_MAX;
  static constexpr kj::Duration REPEAT_AFTER = 1 * kj::SECONDS;
  static constexpr kj::Duration ANSWER_WITHIN =
      120 * kj::MILLISECONDS;  // so that not all do at once

  // What outlives the process. `dying`: it is killed, and says nothing any more.
  struct Surroundings {
    WireParts& wire;
    NetworkHost& host;
    NetworkStack& stack;
    kj::Timer& timer;
    const bool& dying;
  };
  explicit SimLocalLink(Surroundings around);
  ~SimLocalLink() noexcept(false);

  void advertise(Service service, const std::string& name, uint16_t port) override;
  void withdraw(Service service) override;
  kj::Own<Browsing> browse(Service service, Listener& listener) override;

 private:
  class SimBrowsing;
  enum class Kind : uint8_t { ASK = 0, HERE = 1, GONE = 2 };
  struct Advert {
    std::string name;
    uint16_t port;
  };

  Surroundings around;
  Chance chance;
  kj::Own<kj::DatagramPort> port;
  std::map<Service, Advert> adverts;
  std::map<Service, SimBrowsing*> browsings;
  kj::TaskSet tasks;

  kj::Promise<void> receive();
  kj::Promise<void> followNetworks();
  kj::Promise<void> announce(Service service, int times);
  kj::Promise<void> ask(Service service);
  kj::Promise<void> answer(Service service);
  void take(kj::ArrayPtr<const kj::byte> bytes, Ip from);
  void taskFailed(kj::Exception&& e) override;
  void say(Kind kind, Service service, const Advert& advert);
};

}  // namespace hearth::sim

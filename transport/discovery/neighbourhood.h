#pragma once
// Runs a Finder on a local link: advertises this device, listens for those of its circle, and says
// where they may be called. Silent between two slots but for what the link itself asks for.

#include "transport/discovery/finder.h"
#include "transport/discovery/local-link.h"

#include <kj/timer.h>

namespace hearth::transport {

class Neighbourhood final {
 public:
  class Observer {
   public:
    // placesOf(device) is another.
    virtual void placesChanged(const DeviceId& device) = 0;
  };

  // All outlive this object.
  struct Surroundings {
    kj::Timer& timer;
    const kj::Clock& clock;
    LocalLink& link;
    Finder::Beacons& beacons;
    Observer& observer;
  };

  // Others find this device at these ports; none for datagrams: it neither answers nor calls by them. One
  // that does not call anybody need not listen.
  enum class Part : uint8_t { CALLS, IS_CALLED_ONLY };
  struct Ports {
    uint16_t streams;
    kj::Maybe<uint16_t> datagrams;
  };
  Neighbourhood(Surroundings around, Ports ports, Part part);
  ~Neighbourhood() noexcept(false);

  void circleChanged() { carryOut(finder.circleChanged(unixS())); }
  void linked(const DeviceId& device, bool isUp) { carryOut(finder.linked(device, isUp)); }
  std::vector<std::string> placesOf(const DeviceId& device) const {
    return finder.placesOf(device);
  }
  void addTo(Holdings& holdings) const { finder.addTo(holdings); }

 private:
  // What is said of one carrier.
  class Ear final: private LocalLink::Listener {
   public:
    Ear(Neighbourhood& owner, Finder::Carrier carrier, kj::Maybe<uint16_t> port, Part part);
    ~Ear() noexcept(false);
    KJ_DISALLOW_COPY_AND_MOVE(Ear);

    void advertise();
    void follow();

   private:
    Neighbourhood& owner;
    Finder::Carrier carrier;
    kj::Maybe<uint16_t> port;
    std::set<std::string> followed;
    kj::Maybe<kj::Own<LocalLink::Browsing>> browsing;

    LocalLink::Service service() const;
    void heard(const std::string& name, std::vector<std::string> places) override;
    void gone(const std::string& name) override;
  };

  Surroundings around;
  Finder finder;
  Ear streams, datagrams;
  kj::Promise<void> changing;

  uint64_t unixS() const;
  kj::Promise<void> changeWithSlots();
  void carryOut(Finder::Effects effects);
};

}  // namespace hearth::transport

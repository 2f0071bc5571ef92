#pragma once
// Runs a Finder on a local link: advertises this device, listens for those of its circle, and says
// where they may be called. Silent between two slots but for what the link itself asks for.

#include "transport/discovery/finder.h"
#include "transport/discovery/local-link.h"

#include <kj/timer.h>

namespace hearth::transport {

class Neighbourhood final: private LocalLink::Listener {
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

  // Others find this device at `port`. One that does not call anybody need not listen.
  enum class Part : uint8_t { CALLS, IS_CALLED_ONLY };
  Neighbourhood(Surroundings around, uint16_t port, Part part);
  ~Neighbourhood() noexcept(false);

  void circleChanged() { carryOut(finder.circleChanged(unixS())); }
  void linked(const DeviceId& device, bool isUp) { carryOut(finder.linked(device, isUp)); }
  std::vector<std::string> placesOf(const DeviceId& device) const {
    return finder.placesOf(device);
  }
  void addTo(Holdings& holdings) const { finder.addTo(holdings); }

 private:
  Surroundings around;
  uint16_t port;
  Finder finder;
  std::set<std::string> followed;
  kj::Maybe<kj::Own<LocalLink::Browsing>> browsing;
  kj::Promise<void> changing;

  uint64_t unixS() const;
  kj::Promise<void> changeWithSlots();
  void carryOut(Finder::Effects effects);
  void advertise();
  void follow();

  void heard(const std::string& name, std::vector<std::string> places) override;
  void gone(const std::string& name) override { carryOut(finder.gone(name)); }
};

}  // namespace hearth::transport

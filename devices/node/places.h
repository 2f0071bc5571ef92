#pragma once
// Where devices are: where this one is called, by its own addresses, from outside its network and over
// relays; and at which addresses it calls the others, by what is remembered, what others have said, and
// what is heard on the local link.

#include "devices/node/fleet.h"
#include "devices/node/relays.h"
#include "transport/discovery/neighbourhood.h"

namespace hearth::devices {

class Places final: private transport::Neighbourhood::Observer, private kj::TaskSet::ErrorHandler {
 public:
  class Observer {
   public:
    // This device is called elsewhere now.
    virtual void ownPlacesChanged() = 0;
  };

  // All outlive this object.
  struct Surroundings {
    kj::Timer& timer;
    const kj::Clock& clock;
    storage::Store& store;
    CircleKeeper& keeper;
    Fleet& fleet;
    transport::Links& links;
    Relays& relays;
    Observer& observer;
    kj::Maybe<transport::LocalLink&> localLink;
  };
  // `addresses`: where others reach this device, best first. `port`: where those on the same link do.
  Places(Surroundings around, std::vector<std::string> addresses, uint16_t port)
      : around(around),
        own(kj::mv(addresses)),
        port(port),
        tasks(*this) {}

  // This device answers by datagrams as well, at that port. Before anybody is called.
  void takeDatagrams(uint16_t at) { datagrams = at; }

  // Waits at the relays that were named before.
  kj::Promise<void> start();
  void stop();

  // Where others reach this device, best first.
  const std::vector<std::string>& configured() const { return own; }
  // In place of its own addresses.
  void movedTo(std::vector<std::string> addresses);
  // From outside its network, beside its own addresses.
  void alsoReachableAt(std::vector<std::string> places);
  // This device runs relays itself, and others may wait at them (texts of paths).
  void offerRelays(std::vector<std::string> relays);
  // Errors: those of Relays.
  kj::Promise<Result<void>> addRelay(std::string place);
  kj::Promise<Result<void>> removeRelay(std::string place);

  // As others see it, then by its own addresses.
  kj::Promise<std::vector<std::string>> ownNow();

  // Somebody says where a device may be found.
  void introduced(const DeviceId& device, const std::vector<std::string>& addresses);
  // What is known of the device goes to disk.
  void remember(const DeviceId& device);
  // Everybody of the circle that there is no link to.
  void callKnown();

  // From now on others are looked for.
  void beginToCall();
  void circleChanged();
  void linked(const DeviceId& peer, bool isUp);
  void addTo(Holdings& holdings) const;

 private:
  Surroundings around;
  std::vector<std::string> own;
  std::vector<std::string> offered;  // relays that it runs itself
  std::vector<std::string> outside;  // where a router lets calls through to this device
  uint16_t port;
  kj::Maybe<uint16_t> datagrams;
  kj::Own<transport::Neighbourhood> neighbours;  // none without a local link, or without a part
  kj::TaskSet tasks;

  void meetNeighbours();
  void call(const DeviceId& device);
  void useRelaysOfVaults();
  void tell();
  void placesChanged(const DeviceId& device) override;
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices

#pragma once
// Who is on the local link, as a machine: the name by which this device is advertised, which names
// that are heard mean a device of its circle, and where those devices are said to be.
//
//   a name is heard ──▶ whose? ──▶ no link to it: wanted ──▶ the driver looks it up ──▶ places
//                         └──▶ nobody's: kept for a while, never looked up
//
// A device that answers by datagrams is advertised once more for these, by the same name; either is heard
// and gone by itself.
//
// A name is the base32 of a beacon (SECURITY.md §6.7): it changes with the slot and with the epoch, and
// means something to the circle alone. All of it is hearsay. Places are where to call, whoever
// answers there has to prove who it is, and they are forgotten with the name that they came by: when
// it is gone, at the latest three slots (45 minutes) after it was new.

#include "core/base/holding.h"
#include "crypto/membership/beacons.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace hearth::transport {

class Finder final {
 public:
  static constexpr size_t NAMES_MAX = 256;            // heard and not gone; strangers give way
  static constexpr size_t PLACES_MAX = 4;             // of one device, by each carrier
  static constexpr size_t PLACE_BYTES_MAX = 64;       // "[fe80::...%interface]:port"
  static constexpr uint32_t MOVES_PER_SLOT_MAX = 32;  // of one device; a link that flaps, or a liar

  enum class Carrier : uint8_t { STREAMS, DATAGRAMS };

  // What the circle says. The node implements it over its membership log.
  class Beacons {
   public:
    // Of this device; none where it has nothing to be advertised by.
    virtual kj::Maybe<crypto::Beacon> ownBeacon(uint64_t slot) = 0;
    // Of those that it may call.
    virtual std::vector<crypto::DeviceBeacon> beaconsOfOthers(uint64_t slot) = 0;
  };

  struct Effects {
    bool advertise = false;       // ownName() is another
    bool follow = false;          // wanted() is another
    std::vector<DeviceId> moved;  // whose placesOf() are others
  };

  // What came to nothing, and why.
  struct Ignored {
    uint64_t malformed = 0;  // a name that is no beacon, a place that is none
    uint64_t strangers = 0;  // a name of nobody in the circle
    uint64_t crowded = 0;    // beyond a limit
  };

  // `beacons` outlives the machine. Nothing is known before the first tick.
  explicit Finder(Beacons& beacons): beacons(beacons) {}

  // `unixS` is the wall clock everywhere. It may jump; names are then other ones.
  Effects tick(uint64_t unixS);
  // Members or the epoch are others.
  Effects circleChanged(uint64_t unixS);

  // Somebody is advertised by `name`, as far as it was looked up at `places`, "HOST:PORT": all of them, in
  // place of those that were said before.
  Effects heard(const std::string& name, std::vector<std::string> places, uint64_t unixS,
      Carrier carrier = Carrier::STREAMS);
  Effects gone(const std::string& name, Carrier carrier = Carrier::STREAMS);
  Effects linked(const DeviceId& device, bool isUp);

  // None: nothing to be advertised.
  kj::Maybe<std::string> ownName() const { return own; }
  // Names of devices that there is no link to.
  std::set<std::string> wanted(Carrier carrier = Carrier::STREAMS) const;
  // As texts of paths.
  std::vector<std::string> placesOf(const DeviceId& device) const;
  const Ignored& ignored() const { return dropped; }
  void addTo(Holdings& holdings) const;

 private:
  struct Name {
    kj::Maybe<DeviceId> device;
    std::vector<std::string> places;
  };
  using Advert = std::pair<std::string, Carrier>;
  using Wanted = std::set<Advert>;

  Beacons& beacons;
  kj::Maybe<uint64_t> slot;
  kj::Maybe<std::string> own;
  std::map<std::string, DeviceId> whose;  // in this slot and its neighbours
  std::map<Advert, Name> names;
  std::set<DeviceId> up;
  std::map<DeviceId, uint32_t> moves;  // in this slot
  Ignored dropped;

  Effects renew(uint64_t newSlot);
  Effects resolveAll();
  bool makeRoom();
  Wanted allWanted() const;
  kj::Maybe<DeviceId> deviceOf(const std::string& name) const;
};

// The name of a beacon, as it is advertised.
std::string nameOf(const crypto::Beacon& beacon);

}  // namespace hearth::transport

#pragma once
// How an admin brings a new device in: calls it, has it proved by what people have agreed on, asks
// its user, writes the Add, and sends the log and where devices may be found.

#include "devices/node/circle-desk.h"
#include "devices/node/device-view.h"
#include "devices/node/pairing.h"
#include "devices/node/places.h"

namespace hearth::devices {

// The user of an admin, who is asked while a device is brought in.
class PairingPerson {
 public:
  // Whether both screens show the same.
  virtual kj::Promise<bool> compare(const crypto::Sas& sas) = 0;
  // Whether the device, which has been proved to be the one meant, shall come in.
  virtual kj::Promise<bool> confirm(const DeviceView& device) = 0;
  // Another admin has to agree to it: the device waits until then.
  virtual void waits(const PendingView& pending) = 0;
};

class Inviter final {
 public:
  static constexpr kj::Duration CONNECT_WITHIN = 10 * kj::SECONDS;  // to each address

  // All outlive the inviter.
  struct Surroundings {
    kj::Timer& timer;
    Entropy& entropy;
    kj::Network& network;
    storage::Store& store;
    const Identity& identity;
    crypto::EphemeralGuard& guard;
    CircleKeeper& keeper;
    const Fleet& fleet;
    const Places& places;
    CircleDesk& desk;
  };
  explicit Inviter(Surroundings around): around(around) {}

  // Brings in the device that waits at one of `addresses`. `person` outlives the promise.
  // Errors: NOT_AUTHORISED, PAIRING_LOCKED, POLICY_DENIED when not confirmed; those of pairAsAdmin().
  kj::Promise<Result<DeviceId>> bringIn(crypto::PairingMeans means,
      std::vector<std::string> addresses, crypto::Role role, PairingPerson& person);

 private:
  class Host;
  Surroundings around;
  kj::Maybe<kj::Own<StoredLock>> storedLock;  // read when it is first needed

  kj::Promise<void> readLock();
  kj::Promise<kj::Maybe<kj::Own<kj::AsyncIoStream>>> connectAny(std::vector<std::string> addresses);
  kj::Promise<Result<Welcome>> welcome(
      const crypto::PairingAdmin::Candidate& candidate, PairingPerson& person, bool& waits);
  kj::Promise<Result<void>> add(
      const crypto::PairingAdmin::Candidate& candidate, PairingPerson& person, bool& waits);
  bool isMember(const crypto::PairingAdmin::Candidate& candidate) const;
};

}  // namespace hearth::devices

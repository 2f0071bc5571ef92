#pragma once
// The blind relays by which this device can be called when nothing else goes through: those that its
// owner has named, and those that VAULTs of the circle run. It waits there, and tells the others so.

#include "devices/node/circle-keeper.h"
#include "transport/link/links.h"
#include "transport/relay/relay-client.h"

namespace hearth::devices {

class Relays final: private transport::RelayWaiting::Host {
 public:
  static constexpr size_t NAMED_MAX = transport::RelayWaiting::RELAYS_MAX;

  // All outlive this object. Calls to others over relays are plugged into `links`.
  struct Around {
    kj::Timer& timer;
    const kj::Clock& clock;
    kj::Network& network;
    storage::Store& store;
    CircleKeeper& keeper;
    transport::Links& links;
  };
  explicit Relays(Around around);

  // Begins to wait at those that were named before.
  kj::Promise<void> start();

  // A relay at HOST:PORT, for good. Errors: BAD_FORMAT, BAD_LENGTH, LIMIT_EXCEEDED.
  kj::Promise<Result<void>> add(std::string place);
  // Errors: UNKNOWN_PEER.
  kj::Promise<Result<void>> remove(std::string place);

  // What VAULTs offer now, each as text of a path.
  void offered(const std::vector<std::string>& relays);

  void circleChanged();
  void stop();

  const std::vector<std::string>& named() const { return own; }
  bool isWaitingAt(const std::string& place) const { return waiting.waitingAt().contains(place); }

  // By which others may call this device, as texts of paths.
  std::vector<std::string> addresses() const;

 private:
  Around around;
  transport::RelayConnector connector;
  transport::RelayWaiting waiting;
  std::vector<std::string> own, ofVaults;  // HOST:PORT
  kj::Maybe<crypto::Beacon> nameThen;      // in slot 0: another one tells of another epoch

  std::vector<std::string> all() const;
  void wait();
  kj::Promise<void> store();
  void calledThrough(const transport::Path& relay, kj::Own<kj::AsyncIoStream> stream) override;
};

}  // namespace hearth::devices

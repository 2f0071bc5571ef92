#pragma once
// Finds a connected stream to a peer among the places where it may be: all of them side by side, a
// better kind with a head start (RFC 8305). Whoever answers has still to prove who it is.

#include "transport/link/path.h"
#include "transport/wire/race.h"

#include <set>

namespace hearth::transport {

// Connects over paths of one kind.
class Connector {
 public:
  // Throws DISCONNECTED when there is no way there now, FAILED when `path` can be none. Dropping the
  // promise ends the attempt.
  virtual kj::Promise<kj::Own<kj::AsyncIoStream>> connect(
      const DeviceId& peer, const Path& path) = 0;
};

class TcpConnector final: public Connector {
 public:
  explicit TcpConnector(kj::Network& network): network(network) {}
  kj::Promise<kj::Own<kj::AsyncIoStream>> connect(const DeviceId& peer, const Path& path) override;

 private:
  kj::Network& network;
};

class Dialer final {
 public:
  static constexpr size_t PATHS_MAX = 28;    // of one peer
  static constexpr size_t SILENT_MAX = 256;  // peers of whom it was said that they do not answer
  static constexpr kj::Duration CONNECT_WITHIN = 5 * kj::SECONDS;
  // What goes straight has this long before what goes through others is tried as well.
  static constexpr kj::Duration DETOUR_AFTER = 1 * kj::SECONDS;
  // Where a session waits, each comes this long behind the one before it.
  static constexpr kj::Duration HASTY_AFTER = 10 * kj::MILLISECONDS;

  enum class Haste : uint8_t { BEST, FIRST };  // who is to win: what is good, or what is there

  // All outlive the dialer.
  explicit Dialer(kj::Timer& timer): timer(timer) {}
  void plug(Path::Kind kind, Connector& connector) { connectorOf(kind) = connector; }

  struct Found {
    Path path;
    kj::Own<kj::AsyncIoStream> stream;
  };

  // The first of `paths` that connects; none: nobody answers. Best kind first, then in their order;
  // kinds without a connector and paths past PATHS_MAX are left out.
  kj::Promise<kj::Maybe<Found>> dial(
      DeviceId peer, std::vector<Path> paths, Haste haste = Haste::BEST);

  // Those of `paths` that are worth a try while `held` is up.
  static std::vector<Path> better(const std::vector<Path>& paths, const Path& held);

 private:
  kj::Timer& timer;
  kj::Maybe<Connector&> connectors[Path::KINDS];
  std::set<DeviceId> silent;  // said once, until they answer

  kj::Maybe<Connector&>& connectorOf(Path::Kind kind) {
    return connectors[static_cast<size_t>(kind)];
  }
  void say(const DeviceId& peer, const kj::Exception& why);
  std::vector<Path> inOrder(const std::vector<Path>& paths);
};

}  // namespace hearth::transport

#pragma once
// The two ends of a link between two processes: the shipping Links over loopback, TCP or UDP, with devices
// that know each other and nothing else (two-devices.h).

#include "bench/served.h"
#include "bench/two-devices.h"
#include "core/loop/uv-event-port.h"
#include "transport/link/links.h"
#include "transport/link/udp-connector.h"
#include "transport/wire/uv-network.h"

#include <functional>

namespace hearth::bench {

// Both devices are drawn before the second process is forked, so that they know each other.
struct Acquainted {
  SystemEntropy entropy;
  LinkDevice caller{entropy}, called{entropy};

  Acquainted() {
    caller.know(called);
    called.know(caller);
  }
};

class LinkEnd final: private transport::Links::Observer {
 public:
  // What is done with a stream that the peer has opened.
  using Serve = std::function<kj::Promise<void>(kj::Own<kj::AsyncIoStream> stream)>;

  LinkEnd(UvLoop& uv, Entropy& entropy, LinkDevice& self, Serve serve, bool overUdp = false);
  ~LinkEnd() noexcept(false);

  // Answers calls; gives the port.
  uint16_t listen();

  // Calls; resolves when the link is up.
  kj::Promise<void> call(const DeviceId& peer, uint16_t port);

  transport::Links& links() { return own; }

 private:
  UvLoop& uv;
  Serve serve;
  transport::UvNetwork network;
  crypto::EphemeralGuard guard;
  kj::Maybe<kj::Own<transport::UdpHost>> host;
  kj::Maybe<kj::Own<transport::UdpConnector>> connector;
  transport::Links own;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> up;
  kj::TaskSet tasks;
  struct Failures final: kj::TaskSet::ErrorHandler {
    void taskFailed(kj::Exception&& e) override;
  };
  Failures failures;

  void peerUp(const DeviceId&) override;
  void peerDown(const DeviceId&, Error) override {}
  void incoming(const DeviceId&, kj::Array<const kj::byte> header,
      kj::Own<kj::AsyncIoStream> stream) override;
  capnp::Capability::Client bootstrapFor(const DeviceId&) override;
};

// The first byte of a stream's header: what it is for. Nobody looks at it here.
constexpr kj::byte STREAM_KIND = 2;

// A link that is up, from this process to one that serves.
struct Linked {
  Acquainted devices;
  Served server;
  UvLoop uv;
  LinkEnd end;

  explicit Linked(const LinkEnd::Serve& serve, bool overUdp = false);
  kj::Own<kj::AsyncIoStream> open(transport::Lane lane, kj::byte kind);
};

}  // namespace hearth::bench

#pragma once
// Calls peers through the outer TLS (SECURITY.md §6.8), at addresses that say so: "tls:HOST:PORT".

#include "transport/link/dialer.h"
#include "transport/wire/tls.h"

namespace hearth::transport {

class TlsConnector final: public Connector {
 public:
  // Both outlive it.
  TlsConnector(kj::Network& network, Tls& tls): network(network), tls(tls) {}

  // The TLS handshake follows with the first byte, within the limits of the one inside.
  kj::Promise<kj::Own<kj::AsyncIoStream>> connect(const DeviceId& peer, const Path& path) override;

 private:
  kj::Network& network;
  Tls& tls;
};

}  // namespace hearth::transport

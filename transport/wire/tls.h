#pragma once
// The outer TLS of SECURITY.md §6.8, for networks that let nothing else pass: TLS 1.3 by mbedTLS over any
// stream, ALPN "hearth/1". It is a tunnel. Nobody's certificate is verified and no rule trusts it;
// the handshake inside runs as on bare TCP. No tickets, no resumption, no early data, one group (so no
// HelloRetryRequest).

#include "core/entropy/entropy.h"

#include <kj/async-io.h>
#include <kj/time.h>

namespace hearth::transport {

constexpr kj::StringPtr TLS_ALPN = "hearth/1"_kj;
constexpr size_t TLS_RECORD_BYTES = 16 << 10;

// What the ends of this process share. Streams may outlive it.
//
// mbedTLS draws from `entropy` but for the ephemeral key of a handshake, which its PSA core draws from
// the system's random source.
class Tls {
 public:
  // A certificate is no older than this when a call is answered with it.
  static constexpr kj::Duration CERTIFICATE_LASTS = 24 * kj::HOURS;

  // None of these speaks before it is used: reading or writing begins the handshake, and fails
  // DISCONNECTED where the other side speaks another protocol, another version or another ALPN, or ends
  // without saying so.
  virtual kj::Own<kj::AsyncIoStream> call(kj::Own<kj::AsyncIoStream> carrier) = 0;
  virtual kj::Own<kj::AsyncIoStream> answer(kj::Own<kj::AsyncIoStream> carrier) = 0;

  virtual ~Tls() noexcept(false) = default;
};

// Takes nothing up before it is used. `entropy` and `clock` outlive all of its streams.
kj::Own<Tls> newTls(Entropy& entropy, const kj::MonotonicClock& clock);

// Answers what `inner` accepts. `tls` outlives it.
kj::Own<kj::ConnectionReceiver> newTlsReceiver(Tls& tls, kj::Own<kj::ConnectionReceiver> inner);

}  // namespace hearth::transport

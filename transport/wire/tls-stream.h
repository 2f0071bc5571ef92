#pragma once
// One end of a TLS connection as a KJ stream. mbedTLS never touches the carrier: it reads from one buffer
// and writes to another, and this moves them.

#include <kj/async-io.h>
#include <kj/refcount.h>

#include <mbedtls/ssl.h>

namespace hearth::transport {

// What a stream needs as long as it lives.
class TlsSettings: public kj::Refcounted {
 public:
  mbedtls_ssl_config config;
};

kj::Own<kj::AsyncIoStream> newTlsStream(
    kj::Own<TlsSettings> settings, kj::Own<kj::AsyncIoStream> carrier);

}  // namespace hearth::transport

#include "bench/tls-stream.h"

#ifndef HEARTH_BENCH_OPENSSL

namespace hearth::bench {

nlohmann::json tlsStream(uint64_t) {
  return {{"skipped", "OpenSSL's headers are not on this machine (package libssl-dev)"}};
}

}  // namespace hearth::bench

#else

#include "bench/plain-tcp.h"
#include "bench/streamed.h"

#include <kj/debug.h>

#include <memory>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace hearth::bench {

namespace {

constexpr size_t READ_AHEAD_BYTES = 64 << 10;

template <typename T, void (*FREE)(T*)>
struct Freeing {
  void operator()(T* object) const { FREE(object); }
};
using Context = std::unique_ptr<SSL_CTX, Freeing<SSL_CTX, SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freeing<SSL, SSL_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freeing<X509, X509_free>>;

void must(bool good, const char* what) { KJ_REQUIRE(good, "OpenSSL refuses", what); }

Context context(const SSL_METHOD* method) {
  Context made(SSL_CTX_new(method));
  must(SSL_CTX_set_min_proto_version(made.get(), TLS1_3_VERSION) == 1, "TLS 1.3");
  must(SSL_CTX_set_ciphersuites(made.get(), "TLS_AES_128_GCM_SHA256") == 1, "AES-128-GCM");
  // One read for several records: without it OpenSSL reads each header by itself.
  SSL_CTX_set_read_ahead(made.get(), 1);
  SSL_CTX_set_default_read_buffer_len(made.get(), READ_AHEAD_BYTES);
  return made;
}

void selfSigned(SSL_CTX* server) {
  PrivateKey key(EVP_EC_gen("P-256"));
  Certificate certificate(X509_new());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3'600);
  must(X509_set_pubkey(certificate.get(), key.get()) == 1, "a key");
  must(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0, "a signature");
  must(SSL_CTX_use_certificate(server, certificate.get()) == 1, "a certificate");
  must(SSL_CTX_use_PrivateKey(server, key.get()) == 1, "a private key");
}

void serve(uint64_t pieces, const Served::SayPort& say) {
  auto tls = context(TLS_server_method());
  selfSigned(tls.get());
  PlainListener listener;
  say(listener.port);
  auto fd = listener.accept();
  Session session(SSL_new(tls.get()));
  SSL_set_fd(session.get(), fd);
  must(SSL_accept(session.get()) == 1, "a handshake");
  auto buffer = kj::heapArray<kj::byte>(STREAM_WRITE_BYTES);
  for (uint64_t left = pieces * STREAM_WRITE_BYTES; left > 0;) {
    auto got = SSL_read(session.get(), buffer.begin(), static_cast<int>(buffer.size()));
    must(got > 0, "a read");
    left -= static_cast<uint64_t>(got);
  }
  must(SSL_write(session.get(), "!", 1) == 1, "the end");
  for (;;) pause();
}

}  // namespace

nlohmann::json tlsStream(uint64_t pieces) {
  Served server([&](Served::SayPort say) { serve(pieces, say); });
  auto tls = context(TLS_client_method());
  auto fd = plainConnect(server.port());
  Session session(SSL_new(tls.get()));
  SSL_set_fd(session.get(), fd);
  must(SSL_connect(session.get()) == 1, "a handshake");
  auto piece = streamPiece();
  StreamCost cost{server};
  for (uint64_t i = 0; i < pieces; ++i)
    must(SSL_write(session.get(), piece.begin(), static_cast<int>(piece.size())) ==
            static_cast<int>(piece.size()),
        "a write");
  char end;
  must(SSL_read(session.get(), &end, 1) == 1, "the end");
  return cost.tell(pieces * STREAM_WRITE_BYTES);
}

}  // namespace hearth::bench

#endif

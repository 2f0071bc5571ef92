#include "transport/wire/tls.h"

#include "transport/wire/tls-stream.h"

#include <kj/debug.h>

#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>

namespace hearth::transport {

namespace {

// Nobody reads them: the key alone is new each day.
constexpr const char* SUBJECT = "CN=hearth";
constexpr const char* VALID_FROM = "20200101000000";
constexpr const char* VALID_UNTIL = "20991231235959";
constexpr size_t SERIAL_BYTES = 16;
constexpr size_t CERTIFICATE_BYTES_MAX = 1'024;

const char* PROTOCOLS[] = {TLS_ALPN.cStr(), nullptr};
const uint16_t GROUPS[] = {MBEDTLS_SSL_IANA_TLS_GROUP_X25519, 0};
const uint16_t SIGNATURES[] = {MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, 0};

void check(int result, const char* what) { KJ_REQUIRE(result >= 0, what, result); }

int draw(void* entropy, unsigned char* out, size_t size) {
  static_cast<Entropy*>(entropy)->fill(kj::arrayPtr(out, size));
  return 0;
}

void configure(mbedtls_ssl_config& config, int end, Entropy& entropy) {
  check(mbedtls_ssl_config_defaults(
            &config, end, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT),
      "TLS cannot be configured");
  mbedtls_ssl_conf_min_tls_version(&config, MBEDTLS_SSL_VERSION_TLS1_3);
  mbedtls_ssl_conf_max_tls_version(&config, MBEDTLS_SSL_VERSION_TLS1_3);
  mbedtls_ssl_conf_tls13_key_exchange_modes(
      &config, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL);
  mbedtls_ssl_conf_authmode(&config, MBEDTLS_SSL_VERIFY_NONE);
  mbedtls_ssl_conf_groups(&config, GROUPS);
  mbedtls_ssl_conf_sig_algs(&config, SIGNATURES);
  mbedtls_ssl_conf_rng(&config, &draw, &entropy);
  mbedtls_ssl_conf_session_tickets(&config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
  mbedtls_ssl_conf_renegotiation(&config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
  check(mbedtls_ssl_conf_alpn_protocols(&config, PROTOCOLS), "TLS cannot be configured");
}

// The calling end's settings, or the answering end's with a certificate of its own.
class Settings final: public TlsSettings {
 public:
  Settings(int end, Entropy& entropy) {
    mbedtls_ssl_config_init(&config);
    mbedtls_x509_crt_init(&certificate);
    mbedtls_pk_init(&key);
    configure(config, end, entropy);
    if (end == MBEDTLS_SSL_IS_SERVER) makeCertificate(entropy);
  }
  ~Settings() noexcept(false) {
    mbedtls_ssl_config_free(&config);
    mbedtls_x509_crt_free(&certificate);
    mbedtls_pk_free(&key);
  }

 private:
  mbedtls_x509_crt certificate;
  mbedtls_pk_context key;

  void makeCertificate(Entropy& entropy) {
    check(mbedtls_pk_setup(&key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)), "no key for TLS");
    check(mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key), &draw, &entropy),
        "no key for TLS");
    mbedtls_x509write_cert writer;
    mbedtls_x509write_crt_init(&writer);
    KJ_DEFER(mbedtls_x509write_crt_free(&writer));
    mbedtls_x509write_crt_set_version(&writer, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&writer, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&writer, &key);
    mbedtls_x509write_crt_set_issuer_key(&writer, &key);
    check(mbedtls_x509write_crt_set_subject_name(&writer, SUBJECT), "no certificate for TLS");
    check(mbedtls_x509write_crt_set_issuer_name(&writer, SUBJECT), "no certificate for TLS");
    check(mbedtls_x509write_crt_set_validity(&writer, VALID_FROM, VALID_UNTIL),
        "no certificate for TLS");
    kj::byte serial[SERIAL_BYTES];
    entropy.fill(serial);
    serial[0] &= 0x7f;  // positive
    check(mbedtls_x509write_crt_set_serial_raw(&writer, serial, sizeof(serial)),
        "no certificate for TLS");
    kj::byte der[CERTIFICATE_BYTES_MAX];
    int size = mbedtls_x509write_crt_der(&writer, der, sizeof(der), &draw, &entropy);
    check(size, "no certificate for TLS");
    auto length = static_cast<size_t>(size);
    // It is written at the end of the buffer.
    check(mbedtls_x509_crt_parse_der(&certificate, der + sizeof(der) - length, length),
        "no certificate for TLS");
    check(mbedtls_ssl_conf_own_cert(&config, &certificate, &key), "no certificate for TLS");
  }
};

class MbedTls final: public Tls {
 public:
  MbedTls(Entropy& entropy, const kj::MonotonicClock& clock): entropy(entropy), clock(clock) {}

  kj::Own<kj::AsyncIoStream> call(kj::Own<kj::AsyncIoStream> carrier) override {
    if (calling.get() == nullptr) calling = make(MBEDTLS_SSL_IS_CLIENT);
    return newTlsStream(kj::addRef(*calling), kj::mv(carrier));
  }

  kj::Own<kj::AsyncIoStream> answer(kj::Own<kj::AsyncIoStream> carrier) override {
    if (answering.get() == nullptr || clock.now() - since > CERTIFICATE_LASTS) {
      // Streams that were answered with the old one keep it.
      answering = make(MBEDTLS_SSL_IS_SERVER);
      since = clock.now();
    }
    return newTlsStream(kj::addRef(*answering), kj::mv(carrier));
  }

 private:
  Entropy& entropy;
  const kj::MonotonicClock& clock;
  kj::Own<Settings> calling, answering;
  kj::TimePoint since = kj::origin<kj::TimePoint>();

  kj::Own<Settings> make(int end) {
    KJ_REQUIRE(psa_crypto_init() == PSA_SUCCESS, "mbedTLS cannot be used");  // may be called again
    return kj::refcounted<Settings>(end, entropy);
  }
};

class TlsReceiver final: public kj::ConnectionReceiver {
 public:
  TlsReceiver(Tls& tls, kj::Own<kj::ConnectionReceiver> inner): tls(tls), inner(kj::mv(inner)) {}

  kj::Promise<kj::Own<kj::AsyncIoStream>> accept() override {
    co_return tls.answer(co_await inner->accept());
  }
  kj::uint getPort() override { return inner->getPort(); }
  void getsockopt(int level, int option, void* value, kj::uint* length) override {
    inner->getsockopt(level, option, value, length);
  }
  void setsockopt(int level, int option, const void* value, kj::uint length) override {
    inner->setsockopt(level, option, value, length);
  }

 private:
  Tls& tls;
  kj::Own<kj::ConnectionReceiver> inner;
};

}  // namespace

kj::Own<Tls> newTls(Entropy& entropy, const kj::MonotonicClock& clock) {
  return kj::heap<MbedTls>(entropy, clock);
}

kj::Own<kj::ConnectionReceiver> newTlsReceiver(Tls& tls, kj::Own<kj::ConnectionReceiver> inner) {
  return kj::heap<TlsReceiver>(tls, kj::mv(inner));
}

}  // namespace hearth::transport

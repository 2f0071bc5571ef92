// The outer TLS over a pipe: what passes, and what is hung up on.
#include "transport/wire/tls.h"

#include <kj/debug.h>
#include <kj/vector.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <mbedtls/ssl.h>
#include <vector>

namespace hearth::transport {
namespace {

// Counts what is drawn.
struct CountedEntropy final: public Entropy {
  SystemEntropy system;
  size_t drawn = 0;
  void fill(kj::ArrayPtr<kj::byte> out) override {
    drawn += out.size();
    system.fill(out);
  }
};

struct SetClock final: public kj::MonotonicClock {
  kj::TimePoint time = kj::origin<kj::TimePoint>() + 1 * kj::HOURS;
  kj::TimePoint now() const override { return time; }
};

struct Two {
  kj::EventLoop loop;
  kj::WaitScope scope{loop};
  CountedEntropy entropy;
  SetClock clock;
  kj::Own<Tls> tls = newTls(entropy, clock);
  kj::TwoWayPipe pipe = kj::newTwoWayPipe();

  kj::Own<kj::AsyncIoStream> caller() { return tls->call(kj::mv(pipe.ends[0])); }
  kj::Own<kj::AsyncIoStream> answerer() { return tls->answer(kj::mv(pipe.ends[1])); }

  // Whether the answering end hangs up on what `says` sends it.
  bool isHungUpOn(kj::ArrayPtr<const kj::byte> says) {
    auto server = answerer();
    auto client = kj::mv(pipe.ends[0]);
    auto ignore = [](kj::Exception&&) {};
    auto sending = client->write(says.begin(), says.size())
                       .then([&]() { client->shutdownWrite(); })
                       .eagerlyEvaluate(ignore);
    auto draining = client->readAllBytes().ignoreResult().eagerlyEvaluate(ignore);
    kj::byte byte;
    auto failure = kj::runCatchingExceptions([&]() { server->tryRead(&byte, 1, 1).wait(scope); });
    return failure.map([](auto& e) { return e.getType() == kj::Exception::Type::DISCONNECTED; })
        .orDefault(false);
  }
};

// A TLS client of mbedTLS that is not like ours; says what became of its handshake.
struct OtherClient {
  mbedtls_ssl_config config;
  mbedtls_ssl_context ssl;
  kj::Own<kj::AsyncIoStream> carrier;
  kj::Vector<kj::byte> outgoing;
  std::vector<kj::byte> incoming;

  OtherClient(kj::Own<kj::AsyncIoStream> carrier, mbedtls_ssl_protocol_version version,
      const char** protocols, Entropy& entropy)
      : carrier(kj::mv(carrier)) {
    mbedtls_ssl_config_init(&config);
    mbedtls_ssl_init(&ssl);
    mbedtls_ssl_config_defaults(
        &config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_min_tls_version(&config, version);
    mbedtls_ssl_conf_max_tls_version(&config, version);
    mbedtls_ssl_conf_authmode(&config, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_rng(
        &config,
        [](void* from, unsigned char* out, size_t size) {
          static_cast<Entropy*>(from)->fill(kj::arrayPtr(out, size));
          return 0;
        },
        &entropy);
    if (protocols != nullptr) mbedtls_ssl_conf_alpn_protocols(&config, protocols);
    KJ_ASSERT(mbedtls_ssl_setup(&ssl, &config) == 0);
    mbedtls_ssl_set_hostname(&ssl, nullptr);
    mbedtls_ssl_set_bio(
        &ssl, this,
        [](void* self, const unsigned char* bytes, size_t size) {
          static_cast<OtherClient*>(self)->outgoing.addAll(kj::arrayPtr(bytes, size));
          return static_cast<int>(size);
        },
        [](void* self, unsigned char* out, size_t size) {
          auto& there = static_cast<OtherClient*>(self)->incoming;
          auto got = std::min(size, there.size());
          if (got == 0) return MBEDTLS_ERR_SSL_WANT_READ;
          memcpy(out, there.data(), got);
          there.erase(there.begin(), there.begin() + static_cast<ptrdiff_t>(got));
          return static_cast<int>(got);
        },
        nullptr);
  }
  ~OtherClient() {
    mbedtls_ssl_free(&ssl);
    mbedtls_ssl_config_free(&config);
  }

  kj::Promise<bool> succeeds() {
    for (;;) {
      int result = mbedtls_ssl_handshake(&ssl);
      auto bytes = outgoing.releaseAsArray();
      if (bytes.size() > 0) co_await carrier->write(bytes.begin(), bytes.size());
      if (result == 0) co_return true;
      if (result != MBEDTLS_ERR_SSL_WANT_READ) co_return false;
      kj::byte buffer[4'096];
      auto got = co_await carrier->tryRead(buffer, 1, sizeof(buffer));
      if (got == 0) co_return false;
      incoming.insert(incoming.end(), buffer, buffer + got);
    }
  }
};

// Whether our answering end takes such a client for one of ours.
bool isTaken(mbedtls_ssl_protocol_version version, const char** protocols) {
  Two two;
  auto server = two.answerer();
  OtherClient client(kj::mv(two.pipe.ends[0]), version, protocols, two.entropy);
  auto draining = client.succeeds()
                      .then([&](bool) { return client.carrier->readAllBytes().ignoreResult(); })
                      .catch_([](kj::Exception&&) {})
                      .eagerlyEvaluate(nullptr);
  auto greets = [](bool could) { return [could](auto&&...) { return could; }; };
  return server->write("x", 1).then(greets(true), greets(false)).wait(two.scope);
}

TEST_CASE("what is written into the outer TLS comes out at the other end") {
  Two two;
  auto client = two.caller(), server = two.answerer();
  auto sent = kj::heapArray<kj::byte>(100'000);
  two.entropy.fill(sent);
  auto writing = client->write(sent.begin(), sent.size()).eagerlyEvaluate(nullptr);
  auto got = kj::heapArray<kj::byte>(sent.size());
  server->read(got.begin(), got.size()).wait(two.scope);
  writing.wait(two.scope);
  REQUIRE(got == sent);
  auto back = server->write("pong", 4).eagerlyEvaluate(nullptr);
  char pong[4];
  client->read(pong, sizeof(pong)).wait(two.scope);
  REQUIRE(memcmp(pong, "pong", 4) == 0);
}

TEST_CASE("an end that was announced is an end") {
  Two two;
  auto client = two.caller(), server = two.answerer();
  char byte;
  auto writing = client->write("x", 1).eagerlyEvaluate(nullptr);
  REQUIRE(server->tryRead(&byte, 1, 1).wait(two.scope) == 1);
  client->shutdownWrite();
  REQUIRE(server->tryRead(&byte, 1, 1).wait(two.scope) == 0);
}

TEST_CASE("an end that was not announced is a cut") {
  Two cut;
  char byte;
  auto caller = cut.caller(), answerer = cut.answerer();
  auto again = caller->write("x", 1).eagerlyEvaluate(nullptr);
  REQUIRE(answerer->tryRead(&byte, 1, 1).wait(cut.scope) == 1);
  again.wait(cut.scope);
  caller = nullptr;
  REQUIRE_THROWS(answerer->tryRead(&byte, 1, 1).wait(cut.scope));
}

TEST_CASE("who speaks no TLS is hung up on") {
  REQUIRE(Two().isHungUpOn("GET / HTTP/1.1\r\nHost: x\r\n\r\n"_kj.asBytes()));
  kj::byte zeros[2'000] = {};
  REQUIRE(Two().isHungUpOn(zeros));
  kj::byte hello[] = {0x16, 3, 1, 0xff, 0xff, 1, 0, 0, 0};  // a record longer than any
  REQUIRE(Two().isHungUpOn(hello));
  REQUIRE(Two().isHungUpOn(kj::arrayPtr(hello, 3)));  // cut off within its head
}

TEST_CASE("the outer TLS takes its own ALPN and TLS 1.3, and nothing else") {
  const char* ours[] = {TLS_ALPN.cStr(), nullptr};
  const char* web[] = {"h2", nullptr};
  REQUIRE(isTaken(MBEDTLS_SSL_VERSION_TLS1_3, ours));
  REQUIRE_FALSE(isTaken(MBEDTLS_SSL_VERSION_TLS1_3, web));
  REQUIRE_FALSE(isTaken(MBEDTLS_SSL_VERSION_TLS1_3, nullptr));
  REQUIRE_FALSE(isTaken(MBEDTLS_SSL_VERSION_TLS1_2, ours));
}

TEST_CASE("a certificate is a day old at most") {
  Two two;
  auto drawnBy = [&]() {
    auto before = two.entropy.drawn;
    auto fresh = kj::newTwoWayPipe();
    two.tls->answer(kj::mv(fresh.ends[1]));
    return two.entropy.drawn - before;
  };
  REQUIRE(drawnBy() > 0);
  two.clock.time += Tls::CERTIFICATE_LASTS;
  REQUIRE(drawnBy() == 0);
  two.clock.time += 1 * kj::SECONDS;
  REQUIRE(drawnBy() > 0);
}

TEST_CASE("the outer TLS draws from the entropy that it was given") {
  Two two;
  auto client = two.caller(), server = two.answerer();
  auto before = two.entropy.drawn;
  auto writing = client->write("x", 1).eagerlyEvaluate(nullptr);
  char byte;
  server->read(&byte, 1).wait(two.scope);
  REQUIRE(two.entropy.drawn > before);
}

}  // namespace
}  // namespace hearth::transport

#include "transport/wire/tls-stream.h"

#include "transport/wire/tls.h"

#include <kj/debug.h>
#include <kj/vector.h>

#include <algorithm>
#include <mbedtls/error.h>

namespace hearth::transport {

namespace {

// A record in flight and the head of the next one.
constexpr size_t RECEIVED_AT_ONCE_MAX = 20 << 10;

[[noreturn]] void hangUp(kj::StringPtr why) {
  kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the TLS carrier is over", why));
}

class TlsStream final: public kj::AsyncIoStream {
 public:
  TlsStream(kj::Own<TlsSettings> settings, kj::Own<kj::AsyncIoStream> carrier)
      : settings(kj::mv(settings)),
        carrier(kj::mv(carrier)) {
    mbedtls_ssl_init(&ssl);
    KJ_REQUIRE(mbedtls_ssl_setup(&ssl, &this->settings->config) == 0, "no memory for TLS");
    mbedtls_ssl_set_bio(&ssl, this, &sent, &wanted, nullptr);
    // Nobody is called by a name, and none is checked.
    KJ_REQUIRE(mbedtls_ssl_set_hostname(&ssl, nullptr) == 0, "no memory for TLS");
  }
  ~TlsStream() noexcept(false) {
    closing = nullptr;
    ready = nullptr;
    mbedtls_ssl_free(&ssl);
  }

  kj::Promise<size_t> tryRead(void* buffer, size_t minBytes, size_t maxBytes) override {
    co_await whenReady();
    auto out = static_cast<kj::byte*>(buffer);
    size_t total = 0;
    while (total < minBytes) {
      int got = mbedtls_ssl_read(&ssl, out + total, maxBytes - total);
      if (got > 0) {
        total += static_cast<size_t>(got);
      } else if (got == 0 || got == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        break;
      } else if (got == MBEDTLS_ERR_SSL_WANT_READ) {
        // An end without a word may be somebody's doing who cuts the last bytes off.
        if (!co_await receive()) hangUp("it was cut off");
      } else if (got != MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
        hangUp("the other side breaks the protocol");
      }
    }
    co_return total;
  }

  kj::Promise<void> write(const void* buffer, size_t size) override {
    co_await whenReady();
    auto rest = kj::arrayPtr(static_cast<const kj::byte*>(buffer), size);
    while (rest.size() > 0) {
      int took = mbedtls_ssl_write(&ssl, rest.begin(), std::min(rest.size(), TLS_RECORD_BYTES));
      if (took <= 0) hangUp("nothing can be written any more");
      rest = rest.slice(static_cast<size_t>(took), rest.size());
      co_await flush();
    }
  }

  // Records of the link are written whole: pieces would be TLS records of their own.
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override {
    if (pieces.size() == 1) {
      co_await write(pieces[0].begin(), pieces[0].size());
      co_return;
    }
    kj::Vector<kj::byte> whole;
    for (auto piece: pieces) whole.addAll(piece);
    co_await write(whole.begin(), whole.size());
  }

  kj::Promise<void> whenWriteDisconnected() override { return carrier->whenWriteDisconnected(); }

  void shutdownWrite() override {
    closing = sayGoodbye().eagerlyEvaluate([](kj::Exception&&) {});  // nobody is there to hear it
  }
  void abortRead() override { carrier->abortRead(); }

  void getsockopt(int level, int option, void* value, kj::uint* length) override {
    carrier->getsockopt(level, option, value, length);
  }
  void setsockopt(int level, int option, const void* value, kj::uint length) override {
    carrier->setsockopt(level, option, value, length);
  }
  void getsockname(struct sockaddr* address, kj::uint* length) override {
    carrier->getsockname(address, length);
  }
  void getpeername(struct sockaddr* address, kj::uint* length) override {
    carrier->getpeername(address, length);
  }

 private:
  kj::Own<TlsSettings> settings;
  kj::Own<kj::AsyncIoStream> carrier;
  mbedtls_ssl_context ssl;
  kj::Vector<kj::byte> outgoing;
  kj::byte incoming[RECEIVED_AT_ONCE_MAX];
  size_t incomingBegin = 0, incomingEnd = 0;
  kj::Maybe<kj::ForkedPromise<void>> ready;
  kj::Promise<void> closing = nullptr;

  static int sent(void* self, const unsigned char* bytes, size_t size) {
    static_cast<TlsStream*>(self)->outgoing.addAll(kj::arrayPtr(bytes, size));
    return static_cast<int>(size);
  }

  static int wanted(void* self, unsigned char* out, size_t size) {
    auto& stream = *static_cast<TlsStream*>(self);
    auto there = std::min(size, stream.incomingEnd - stream.incomingBegin);
    if (there == 0) return MBEDTLS_ERR_SSL_WANT_READ;
    memcpy(out, stream.incoming + stream.incomingBegin, there);
    stream.incomingBegin += there;
    return static_cast<int>(there);
  }

  // False at the end. Only called when mbedTLS has taken what was there.
  kj::Promise<bool> receive() {
    incomingBegin = incomingEnd = 0;
    incomingEnd = co_await carrier->tryRead(incoming, 1, sizeof(incoming));
    co_return incomingEnd > 0;
  }

  kj::Promise<void> flush() {
    auto bytes = outgoing.releaseAsArray();
    if (bytes.size() > 0) co_await carrier->write(bytes.begin(), bytes.size());
  }

  kj::Promise<void> whenReady() {
    if (ready == nullptr) ready = shakeHands().fork();
    return KJ_ASSERT_NONNULL(ready).addBranch();
  }

  kj::Promise<void> shakeHands() {
    for (;;) {
      int result = mbedtls_ssl_handshake(&ssl);
      co_await flush();  // an alert as well
      if (result == 0) break;
      if (result != MBEDTLS_ERR_SSL_WANT_READ) hangUp("the other side speaks no TLS like ours");
      if (!co_await receive()) hangUp("it was cut off");
    }
    auto protocol = mbedtls_ssl_get_alpn_protocol(&ssl);
    if (protocol == nullptr || protocol != TLS_ALPN)
      hangUp("the other side speaks another protocol");
  }

  kj::Promise<void> sayGoodbye() {
    co_await whenReady();
    mbedtls_ssl_close_notify(&ssl);
    co_await flush();
    carrier->shutdownWrite();
  }
};

}  // namespace

kj::Own<kj::AsyncIoStream> newTlsStream(
    kj::Own<TlsSettings> settings, kj::Own<kj::AsyncIoStream> carrier) {
  return kj::heap<TlsStream>(kj::mv(settings), kj::mv(carrier));
}

}  // namespace hearth::transport

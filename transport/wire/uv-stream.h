#pragma once
// A connected socket as a KJ stream: system calls first, libuv only when they would block.

#include "transport/wire/uv-descriptor.h"

#include <kj/async-io.h>

#include <sys/uio.h>

namespace hearth::transport {

class UvStream final: public kj::AsyncIoStream {
 public:
  UvStream(UvEventPort& port, kj::AutoCloseFd fd): descriptor(port, kj::mv(fd)) {}

  kj::Promise<size_t> tryRead(void* buffer, size_t minBytes, size_t maxBytes) override;
  kj::Promise<void> write(const void* buffer, size_t size) override;
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override;
  kj::Promise<void> whenWriteDisconnected() override;
  void shutdownWrite() override;
  void abortRead() override;
  void getsockopt(int level, int option, void* value, kj::uint* length) override;
  void setsockopt(int level, int option, const void* value, kj::uint length) override;
  void getsockname(struct sockaddr* addr, kj::uint* length) override;
  void getpeername(struct sockaddr* addr, kj::uint* length) override;
  kj::Maybe<int> getFd() const override { return descriptor.get(); }

  // For a connection under way: it is made, or has failed (SO_ERROR), when this resolves.
  kj::Promise<void> whenWritable() { return descriptor.whenWritable(); }

 private:
  UvDescriptor descriptor;
  bool drained = false;  // by the last read, which got less than it had room for
  kj::Maybe<kj::ForkedPromise<void>> disconnection;

  kj::Promise<void> writeOn(struct iovec piece);
};

}  // namespace hearth::transport

#pragma once
// The floor under a link: blocking sockets over loopback, TCP_NODELAY, without any loop, lane or cipher.

#include <kj/array.h>
#include <kj/io.h>

#include <cstdint>

namespace hearth::bench {

// A listening loopback socket on any free port.
struct PlainListener {
  kj::AutoCloseFd fd;
  uint16_t port;

  PlainListener();
  kj::AutoCloseFd accept();
};

kj::AutoCloseFd plainConnect(uint16_t port);

// At least one byte; 0 at the end of the stream.
size_t readSome(int fd, kj::ArrayPtr<kj::byte> into);
void readAll(int fd, kj::ArrayPtr<kj::byte> into);
void writeAll(int fd, kj::ArrayPtr<const kj::byte> bytes);

}  // namespace hearth::bench

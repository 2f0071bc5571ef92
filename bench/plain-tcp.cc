#include "bench/plain-tcp.h"

#include <kj/debug.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hearth::bench {

namespace {

kj::AutoCloseFd newSocket() {
  int fd;
  KJ_SYSCALL(fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return kj::AutoCloseFd(fd);
}

struct sockaddr_in loopback(uint16_t port) {
  struct sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void noDelay(int fd) {
  int on = 1;
  KJ_SYSCALL(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
}

}  // namespace

PlainListener::PlainListener(): fd(newSocket()) {
  auto address = loopback(0);
  socklen_t size = sizeof(address);
  KJ_SYSCALL(bind(fd, reinterpret_cast<struct sockaddr*>(&address), size));
  KJ_SYSCALL(listen(fd, 1));
  KJ_SYSCALL(getsockname(fd, reinterpret_cast<struct sockaddr*>(&address), &size));
  port = ntohs(address.sin_port);
}

kj::AutoCloseFd PlainListener::accept() {
  int accepted;
  KJ_SYSCALL(accepted = accept4(fd, nullptr, nullptr, SOCK_CLOEXEC));
  noDelay(accepted);
  return kj::AutoCloseFd(accepted);
}

kj::AutoCloseFd plainConnect(uint16_t port) {
  auto fd = newSocket();
  auto address = loopback(port);
  KJ_SYSCALL(connect(fd, reinterpret_cast<struct sockaddr*>(&address), sizeof(address)));
  noDelay(fd);
  return fd;
}

size_t readSome(int fd, kj::ArrayPtr<kj::byte> into) {
  ssize_t got;
  KJ_SYSCALL(got = read(fd, into.begin(), into.size()));
  return static_cast<size_t>(got);
}

void readAll(int fd, kj::ArrayPtr<kj::byte> into) {
  while (into.size() > 0) {
    auto got = readSome(fd, into);
    KJ_REQUIRE(got > 0, "the stream ended early");
    into = into.slice(got, into.size());
  }
}

void writeAll(int fd, kj::ArrayPtr<const kj::byte> bytes) {
  while (bytes.size() > 0) {
    ssize_t sent;
    KJ_SYSCALL(sent = write(fd, bytes.begin(), bytes.size()));
    bytes = bytes.slice(static_cast<size_t>(sent), bytes.size());
  }
}

}  // namespace hearth::bench

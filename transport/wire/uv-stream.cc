#include "transport/wire/uv-stream.h"

#include <kj/debug.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <sys/socket.h>

namespace hearth::transport {

namespace {

constexpr size_t PIECES_MAX = 64;  // of one system call

// The bytes that a non-blocking call moved, or none when it would block. Throws on errors;
// a lost connection is DISCONNECTED.
template <typename Call>
kj::Maybe<size_t> attempt(const char* what, Call&& call) {
  for (;;) {
    ssize_t moved = call();
    if (moved >= 0) return static_cast<size_t>(moved);
    int error = errno;
    if (error == EINTR) continue;
    if (error == EAGAIN || error == EWOULDBLOCK) return nullptr;
    KJ_FAIL_SYSCALL(what, error);  // KJ files ECONNRESET, EPIPE and their like under DISCONNECTED
  }
}

kj::Maybe<size_t> sendSome(int fd, kj::ArrayPtr<struct iovec> pieces) {
  struct msghdr message = {};
  message.msg_iov = pieces.begin();
  message.msg_iovlen = std::min(pieces.size(), PIECES_MAX);
  return attempt("sendmsg", [&]() { return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT); });
}

// What is left of `pieces` when `sent` of their bytes are gone.
kj::ArrayPtr<struct iovec> without(kj::ArrayPtr<struct iovec> pieces, size_t sent) {
  while (pieces.size() > 0 && sent >= pieces[0].iov_len) {
    sent -= pieces[0].iov_len;
    pieces = pieces.slice(1, pieces.size());
  }
  if (pieces.size() > 0) {
    pieces[0].iov_base = static_cast<kj::byte*>(pieces[0].iov_base) + sent;
    pieces[0].iov_len -= sent;
  }
  return pieces;
}

}  // namespace

kj::Promise<size_t> UvStream::tryRead(void* buffer, size_t minBytes, size_t maxBytes) {
  auto out = static_cast<kj::byte*>(buffer);
  size_t total = 0;
  do {
    // A read that was not filled has left nothing, and what has come since is told by the loop.
    if (drained) {
      drained = false;
      co_await descriptor.whenReadable();
    }
    auto room = maxBytes - total;
    auto got =
        attempt("recv", [&]() { return recv(descriptor.get(), out + total, room, MSG_DONTWAIT); });
    KJ_IF_MAYBE(bytes, got) {
      if (*bytes == 0) break;
      total += *bytes;
      drained = *bytes < room;
    } else {
      drained = true;
    }
  } while (total < minBytes);
  co_return total;
}

// Nearly always the kernel takes all at once.
kj::Promise<void> UvStream::write(const void* buffer, size_t size) {
  struct iovec piece = {const_cast<void*>(buffer), size};
  auto rest = without(kj::arrayPtr(&piece, 1), 0);
  if (rest.size() > 0) {
    KJ_IF_MAYBE(sent, sendSome(descriptor.get(), rest)) rest = without(rest, *sent);
  }
  if (rest.size() == 0) return kj::READY_NOW;
  return writeOn(piece);
}

kj::Promise<void> UvStream::writeOn(struct iovec piece) {
  auto rest = kj::arrayPtr(&piece, 1);
  while (rest.size() > 0) {
    KJ_IF_MAYBE(sent, sendSome(descriptor.get(), rest)) {
      rest = without(rest, *sent);
    } else {
      co_await descriptor.whenWritable();
    }
  }
}

kj::Promise<void> UvStream::write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) {
  auto vector = kj::heapArray<struct iovec>(pieces.size());
  for (size_t i = 0; i < pieces.size(); ++i)
    vector[i] = {const_cast<kj::byte*>(pieces[i].begin()), pieces[i].size()};
  auto rest = without(vector, 0);
  while (rest.size() > 0) {
    KJ_IF_MAYBE(sent, sendSome(descriptor.get(), rest)) {
      rest = without(rest, *sent);
    } else {
      co_await descriptor.whenWritable();
    }
  }
}

kj::Promise<void> UvStream::whenWriteDisconnected() {
  KJ_IF_MAYBE(forked, disconnection) return forked->addBranch();
  return disconnection.emplace(descriptor.whenDisconnected().fork()).addBranch();
}

void UvStream::shutdownWrite() {
  // A peer that is gone already needs no goodbye.
  if (shutdown(descriptor.get(), SHUT_WR) != 0 && errno != ENOTCONN)
    KJ_FAIL_SYSCALL("shutdown", errno);
}

void UvStream::abortRead() {
  if (shutdown(descriptor.get(), SHUT_RD) != 0 && errno != ENOTCONN)
    KJ_FAIL_SYSCALL("shutdown", errno);
}

void UvStream::getsockopt(int level, int option, void* value, kj::uint* length) {
  socklen_t size = *length;
  KJ_SYSCALL(::getsockopt(descriptor.get(), level, option, value, &size));
  *length = size;
}

void UvStream::setsockopt(int level, int option, const void* value, kj::uint length) {
  KJ_SYSCALL(::setsockopt(descriptor.get(), level, option, value, length));
}

void UvStream::getsockname(struct sockaddr* addr, kj::uint* length) {
  socklen_t size = *length;
  KJ_SYSCALL(::getsockname(descriptor.get(), addr, &size));
  *length = size;
}

void UvStream::getpeername(struct sockaddr* addr, kj::uint* length) {
  socklen_t size = *length;
  KJ_SYSCALL(::getpeername(descriptor.get(), addr, &size));
  *length = size;
}

}  // namespace hearth::transport

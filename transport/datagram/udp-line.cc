#include "transport/datagram/udp-line.h"

#include <kj/debug.h>

namespace hearth::transport {

namespace {

[[noreturn]] void throwGone() {
  kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the datagrams' conversation is over"));
}

void give(const UdpAddress& address, struct sockaddr* out, kj::uint* length) {
  auto native = address.forFamily(address.isIp4() ? AF_INET : AF_INET6);
  memcpy(out, native.raw(), kj::min(*length, native.length));
  *length = native.length;
}

}  // namespace

void UdpLine::ringAll() {
  driver.ring();
  if (conversation.isReadable() || isClosed) readable.ring();
  if (isOver()) gone.ring();
  ringWriter();
}

void UdpLine::ringWriter() {
  if (conversation.isWritable() || isClosed) writable.ring();
}

// What was written still goes out; the driver sees to it.
UdpStream::~UdpStream() noexcept(false) {
  line->droppedAt = timer.now();
  line->conversation.finish();
  line->driver.ring();
}

kj::Promise<size_t> UdpStream::tryRead(void* buffer, size_t minBytes, size_t maxBytes) {
  auto out = static_cast<kj::byte*>(buffer);
  auto& conversation = line->conversation;
  size_t total = 0;
  for (;;) {
    total += conversation.read(kj::arrayPtr(out + total, maxBytes - total));
    if (conversation.owesCredit()) line->driver.ring();
    if (total >= minBytes || conversation.isEnded()) break;
    if (line->isOver()) throwGone();
    co_await line->readable.wait();
  }
  co_return total;
}

kj::Promise<void> UdpStream::write(const void* buffer, size_t size) {
  auto rest = kj::arrayPtr(static_cast<const kj::byte*>(buffer), size);
  for (;;) {
    if (line->isOver()) throwGone();
    auto taken = line->conversation.write(rest);
    if (taken > 0) line->driver.ring();
    rest = rest.slice(taken, rest.size());
    if (rest.size() == 0) break;
    co_await line->writable.wait();
  }
}

kj::Promise<void> UdpStream::write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) {
  for (auto piece: pieces) co_await write(piece.begin(), piece.size());
}

kj::Promise<void> UdpStream::whenWriteDisconnected() {
  if (line->isOver()) return kj::READY_NOW;
  KJ_IF_MAYBE(forked, disconnection) return forked->addBranch();
  return disconnection.emplace(line->gone.wait().fork()).addBranch();
}

void UdpStream::shutdownWrite() {
  line->conversation.finish();
  line->driver.ring();
}

void UdpStream::abortRead() {
  line->conversation.reset();
  line->ringAll();
}

void UdpStream::getsockname(struct sockaddr* addr, kj::uint* length) {
  give(line->local, addr, length);
}

void UdpStream::getpeername(struct sockaddr* addr, kj::uint* length) {
  give(line->conversation.path(), addr, length);
}

void UdpStream::secure(PacketKeys keys) {
  line->conversation.secure(kj::mv(keys));
  line->driver.ring();
}

void UdpStream::keepAlive(kj::Maybe<kj::Duration> every) {
  line->conversation.keepAlive(every);
  line->driver.ring();
}

Secured::Facts UdpStream::facts() const {
  auto& trip = line->conversation.roundTrip();
  if (!trip.isMeasured()) return {};
  auto rttS =
      static_cast<double>(kj::max(trip.smoothed(), 1 * kj::MICROSECONDS) / kj::NANOSECONDS) / 1e9;
  return {rttS, static_cast<double>(line->conversation.windowBytes()) / rttS};
}

}  // namespace hearth::transport

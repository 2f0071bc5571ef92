#pragma once
// A conversation and whoever waits for it, and its two ends as a KJ stream. The line belongs to the
// host and to its stream.

#include "transport/datagram/conversation.h"
#include "transport/datagram/secured.h"
#include "transport/link/lane-stream.h"

#include <kj/refcount.h>

namespace hearth::transport {

class UdpLine final: public kj::Refcounted {
 public:
  UdpLine(Conversation::Setup setup, Entropy& entropy, kj::TimePoint now, UdpAddress local)
      : conversation(kj::mv(setup), entropy, now),
        local(local) {}

  Conversation conversation;
  UdpAddress local;
  Bell driver;  // rung when there may be something to send
  Bell readable, writable, gone;
  bool touched = false;                // in the batch that is being received
  kj::Maybe<kj::TimePoint> droppedAt;  // nobody holds its stream any more
  bool isClosed = false;               // the host is done with it

  bool isOver() const { return isClosed || conversation.isOver(); }

  // After something came.
  void ringAll();
  // After something left.
  void ringWriter();
};

class UdpStream final: public kj::AsyncIoStream, public Secured {
 public:
  UdpStream(kj::Own<UdpLine> line, kj::Timer& timer): line(kj::mv(line)), timer(timer) {}
  ~UdpStream() noexcept(false);

  kj::Promise<size_t> tryRead(void* buffer, size_t minBytes, size_t maxBytes) override;
  kj::Promise<void> write(const void* buffer, size_t size) override;
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override;
  kj::Promise<void> whenWriteDisconnected() override;
  void shutdownWrite() override;
  void abortRead() override;
  void getsockname(struct sockaddr* addr, kj::uint* length) override;
  void getpeername(struct sockaddr* addr, kj::uint* length) override;

  void secure(PacketKeys keys) override;
  void keepAlive(kj::Maybe<kj::Duration> every) override;
  Facts facts() const override;
  void boundUnsent(size_t bytes) override { line->conversation.boundUnsent(bytes); }

 private:
  kj::Own<UdpLine> line;
  kj::Timer& timer;
  kj::Maybe<kj::ForkedPromise<void>> disconnection;
};

}  // namespace hearth::transport

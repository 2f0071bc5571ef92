#pragma once
// The streams of a link's lanes as KJ streams. The hub belongs to the link and to every stream: when
// the link is over, its streams say DISCONNECTED for as long as somebody holds them.

#include "transport/link/lanes.h"

#include <kj/async-io.h>
#include <kj/refcount.h>

namespace hearth::transport {

// A place where one coroutine sleeps until another wakes it.
class Bell final {
 public:
  void ring();
  kj::Promise<void> wait();

 private:
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> waiting;
};

class LaneHub final: public kj::Refcounted {
 public:
  explicit LaneHub(bool initiator): lanes(initiator) {}

  Lanes lanes;
  Bell writer;  // rung when lanes may have a frame to send

  // Wakes whoever waits on the stream, or on any.
  void ring(StreamId stream);
  void ringWriters();

  // The link is over.
  void end();
  bool isOver() const { return over; }

 private:
  friend class LaneStream;
  struct Bells {
    Bell readable, writable, gone;
  };
  std::map<StreamId, Bells> bells;
  bool over = false;
};

class LaneStream final: public kj::AsyncIoStream {
 public:
  LaneStream(kj::Own<LaneHub> hub, StreamId id): hub(kj::mv(hub)), id(id) {}
  ~LaneStream() noexcept(false);

  kj::Promise<size_t> tryRead(void* buffer, size_t minBytes, size_t maxBytes) override;
  kj::Promise<void> write(const void* buffer, size_t size) override;
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override;
  kj::Promise<void> whenWriteDisconnected() override;
  void shutdownWrite() override;
  void abortRead() override;

 private:
  kj::Own<LaneHub> hub;
  StreamId id;

  bool isGone() const { return hub->isOver() || !hub->lanes.isOpen(id); }
};

}  // namespace hearth::transport

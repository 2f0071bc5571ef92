#pragma once
// The streams of a session's lanes as KJ streams. The hub belongs to the session and to every stream: when
// the session is over, its streams say DISCONNECTED for as long as somebody holds them.

#include "transport/link/lanes.h"

#include <kj/async-io.h>
#include <kj/refcount.h>
#include <kj/timer.h>

#include <set>

namespace hearth::transport {

// A place where one coroutine sleeps until another wakes it.
class Bell final {
 public:
  void ring();
  kj::Promise<void> wait();

 private:
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> waiting;
};

// A stream of the live lane, as Links opens it and hands it over: frames with deadlines beside its bytes.
class LiveStream: public kj::AsyncIoStream {
 public:
  // Sends a frame that is worth nothing after that time, and gives its number; 0 when the stream is gone.
  // It waits for nothing: what cannot be sent in time is dropped and counted.
  virtual uint64_t sendFrame(kj::ArrayPtr<const kj::byte> bytes, kj::Duration within) = 0;

  // The next frame that has come in time. Throws DISCONNECTED at the stream's end.
  virtual kj::Promise<LiveFrame> nextFrame() = 0;
};

class LaneStream;

class LaneHub final: public kj::Refcounted {
 public:
  LaneHub(bool chooser, kj::Timer& timer): lanes(chooser), timer(timer) {}

  Lanes lanes;
  kj::Timer& timer;
  uint64_t writes = 0;  // to all streams, so far

  // Whoever sends the frames of the lanes, woken when there may be one; none: they wait.
  void sentBy(kj::Maybe<Bell&> bell) { sender = bell; }
  void ringSender() {
    KJ_IF_MAYBE(bell, sender) bell->ring();
  }

  // Wakes it if there is anything for it to do.
  void ringWriter();

  // Wakes whoever waits on the stream, or to write on any.
  void ring(StreamId stream);
  void ringWriters();

  // The session is over.
  void end();
  bool isOver() const { return over; }

 private:
  friend class LaneStream;
  kj::Maybe<Bell&> sender;
  std::map<StreamId, LaneStream*> held;
  std::set<StreamId> writing;  // that wait for room
  bool over = false;
};

class LaneStream final: public LiveStream {
 public:
  LaneStream(kj::Own<LaneHub> hub, StreamId id);
  ~LaneStream() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(LaneStream);

  kj::Promise<size_t> tryRead(void* buffer, size_t minBytes, size_t maxBytes) override;
  kj::Promise<void> write(const void* buffer, size_t size) override;
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override;
  kj::Promise<void> whenWriteDisconnected() override;
  void shutdownWrite() override;
  void abortRead() override;
  uint64_t sendFrame(kj::ArrayPtr<const kj::byte> bytes, kj::Duration within) override;
  kj::Promise<LiveFrame> nextFrame() override;

 private:
  friend class LaneHub;
  // What the caller of a promise has lent; not touched once it waits no longer.
  struct Reading {
    kj::ArrayPtr<kj::byte> room;
    size_t least, got;
    kj::Own<kj::PromiseFulfiller<size_t>> fulfiller;
  };
  struct Writing {
    kj::ArrayPtr<const kj::byte> rest;
    kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> behind;
    kj::Own<kj::PromiseFulfiller<void>> fulfiller;
  };

  kj::Own<LaneHub> hub;
  StreamId id;
  kj::Maybe<Reading> reading;
  kj::Maybe<Writing> writing;
  Bell gone;
  Bell frameCame;

  bool isGone() const { return hub->isOver() || !hub->lanes.isOpen(id); }
  size_t readSome(kj::ArrayPtr<kj::byte> room);
  void writeSome(
      kj::ArrayPtr<const kj::byte>& rest, kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>>& behind);
  kj::Promise<void> write(
      kj::ArrayPtr<const kj::byte> rest, kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> behind);
  void readOn();
  void writeOn();
};

}  // namespace hearth::transport

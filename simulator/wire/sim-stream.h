#pragma once
// A TCP connection between two devices of a world, and its two ends as KJ streams.
//
// A direction is a Flow: what is written gets a time of arrival (latency, the radios' bandwidth,
// resends for what was lost) and is carried there in order, provided that the path exists then; while
// it does not, it waits, as a kernel that resends does. Each end learns that the connection is over
// only as TCP would: by the other's end of its bytes, by a reset, or after long silence; what one end
// has given up the other may wait for.

#include "simulator/wire/nat.h"
#include "simulator/wire/tamperer.h"
#include "simulator/world/bell.h"

#include <kj/async-io.h>
#include <kj/refcount.h>

#include <deque>

namespace hearth::sim {

// What a world is told about traffic.
class WireObserver {
 public:
  // Bytes have arrived, as they were sent. `connection` numbers the connections of a world.
  virtual void delivered(uint64_t connection, DeviceIndex from, DeviceIndex to,
      kj::ArrayPtr<const kj::byte> bytes) = 0;
  virtual void opened(uint64_t connection, DeviceIndex from, DeviceIndex to) = 0;
  // A datagram has arrived, as it was sent.
  virtual void datagram(DeviceIndex from, DeviceIndex to, kj::ArrayPtr<const kj::byte> bytes) = 0;
  // Somebody on the way has changed what arrived last.
  virtual void tampered(DeviceIndex from, DeviceIndex to) = 0;
};

// What flows need of the world around them.
struct WireParts {
  WorldTime& time;
  Terrain& terrain;
  WireObserver& observer;
  uint64_t seed;
  Nats nats;
  kj::TaskSet couriers;      // whatever is under way
  uint64_t connections = 0;  // so far
  struct {
    uint64_t lost = 0, twice = 0, late = 0;
  } datagrams;  // so far

  WireParts(WorldTime& time, Terrain& terrain, WireObserver& observer, uint64_t seed,
      kj::TaskSet::ErrorHandler& errors)
      : time(time),
        terrain(terrain),
        observer(observer),
        seed(seed),
        nats(terrain, seed),
        couriers(errors) {}
};

// The kernel of one device as far as connections see it. The world's device implements it.
class NetworkHost {
 public:
  virtual DeviceIndex index() const = 0;
  virtual bool isOn() const = 0;
  virtual kj::Promise<void> awake() = 0;  // resolves when the system is not suspended
  virtual bool isAwake() const = 0;
  // Its process is being killed: of what that would still send as it goes, nothing gets out.
  virtual bool isDying() const { return false; }
};

// Who talks to whom over a connection, from the side of one of its ends.
struct Ends {
  NetworkHost& from;
  NetworkHost& to;
  Ip fromIp, toIp;
};

class Flow final: public kj::Refcounted {
 public:
  static constexpr size_t SEND_BUFFER_BYTES = 256 << 10;
  static constexpr size_t RECEIVE_WINDOW_BYTES = 256 << 10;
  static constexpr size_t SEGMENT_BYTES = 64 << 10;  // what is carried at once
  static constexpr size_t PACKET_BYTES = 1'448;
  static constexpr kj::Duration RESEND_AFTER = 200 * kj::MILLISECONDS;  // doubling to
  static constexpr kj::Duration RESEND_AFTER_MAX = 60 * kj::SECONDS;
  static constexpr int RESENDS_MAX = 8;        // of one packet by mere loss
  static constexpr int PACKETS_THAT_TELL = 3;  // of a lost one before them
  static constexpr kj::Duration GIVE_UP_AFTER = 15 * kj::MINUTES;

  // `rtt`: as the handshake measured it.
  Flow(WireParts& wire, uint64_t connection, Ends ends, Chance chance, kj::Duration rtt);
  ~Flow() noexcept(false);

  // The two directions of one connection.
  static void pair(Flow& one, Flow& other);

  // The sender's side.
  kj::Promise<void> write(kj::ArrayPtr<const kj::byte> bytes);
  void finish();               // no more bytes: an orderly end
  void abort();                // a reset, sent once, and nothing that has not arrived by now
  void vanish();               // the device has lost power: nothing of this gets out any more
  kj::Promise<void> broken();  // resolves when writing makes no sense any more

  // The receiver's side.
  kj::Promise<size_t> read(kj::byte* buffer, size_t least, size_t most);
  void abandon();  // the reader is gone: what arrives now is answered by a reset

  size_t unread() const { return inboxBytes; }
  kj::Duration rtt() const { return smoothRtt; }

 private:
  struct Segment {
    kj::Array<kj::byte> bytes;  // empty: the end
    kj::TimePoint arrives;
  };

  WireParts& wire;
  uint64_t connection;
  Ends ends;
  Chance chance;
  Tamperer tamperer;
  kj::Maybe<Flow&> reverse;
  uint32_t fromBinding, toBinding;  // of the networks, when the connection was made
  kj::Duration smoothRtt;
  kj::Duration pace = RESEND_AFTER;  // between writes, smoothed
  kj::TimePoint lastWritten = WorldTime::BEGINNING;
  std::deque<Segment> underWay;
  size_t unacknowledged = 0;  // bytes
  kj::TimePoint lastArrival = WorldTime::BEGINNING;
  std::deque<kj::Array<kj::byte>> inbox;
  size_t inboxBytes = 0, inboxOffset = 0;
  bool finished = false;   // by the sender
  bool ended = false;      // the end has arrived
  bool abandoned = false;  // by the reader
  bool dead = false;       // to the sender
  bool deaf = false;       // the reader's end of the connection is over
  bool gone = false;       // the sender says nothing any more
  Bell writer, reader, drained;
  kj::PromiseFulfillerPair<void> breakage = kj::newPromiseAndFulfiller<void>();
  kj::ForkedPromise<void> breaking = breakage.promise.fork();
  bool carrying = false;

  void enqueue(kj::Array<kj::byte> bytes);
  kj::TimePoint arrivalOf(size_t bytes);
  kj::Duration resends(uint32_t lossPermille, size_t bytes, Chance& luck);
  kj::Promise<void> carry();
  kj::Promise<void> carryReset();
  kj::Promise<void> passage(bool (Flow::*isOpen)() const);
  bool isMapped() const;
  bool reaches() const;
  bool answers() const;
  bool hasRoom() const;
  void deliver(kj::Array<kj::byte> bytes, bool refused);
  size_t take(kj::byte* buffer, size_t most);
  void endAtSender();
  void endAtReader();
};

// One end. Destroying it is what close() does.
class SimStream final: public kj::AsyncIoStream {
 public:
  SimStream(Ends ends, kj::Own<Flow> out, kj::Own<Flow> in, uint16_t port, uint16_t peerPort);
  ~SimStream() noexcept(false);

  kj::Promise<size_t> tryRead(void* buffer, size_t minBytes, size_t maxBytes) override;
  kj::Promise<void> write(const void* buffer, size_t size) override;
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override;
  kj::Promise<void> whenWriteDisconnected() override { return out->broken(); }
  void shutdownWrite() override { out->finish(); }
  void abortRead() override { in->abandon(); }
  void getsockopt(int level, int option, void* value, kj::uint* length) override;  // TCP_INFO
  void getsockname(struct sockaddr* addr, kj::uint* length) override;
  void getpeername(struct sockaddr* addr, kj::uint* length) override;

 private:
  Ends ends;
  kj::Own<Flow> out, in;
  uint16_t port, peerPort;
};

}  // namespace hearth::sim

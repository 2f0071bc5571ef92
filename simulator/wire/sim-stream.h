#pragma once
// A TCP connection between two devices of a world, and its two ends as KJ streams.
//
// A direction is a Flow: what is written gets a time of arrival (latency, the radios' bandwidth,
// resends for what was lost) and is carried there in order, provided that the path exists then; while
// it does not, it waits, as a kernel that resends does. Where the other end is off or has forgotten
// the connection, the sender learns it only as TCP would: by a reset, or after long silence.

#include "simulator/wire/terrain.h"

#include <kj/async-io.h>
#include <kj/refcount.h>

#include <deque>

namespace hearth::sim {

// What a world is told about traffic.
class WireObserver {
 public:
  // Bytes have arrived. `connection` numbers the connections of a world.
  virtual void delivered(uint64_t connection, DeviceIndex from, DeviceIndex to,
      kj::ArrayPtr<const kj::byte> bytes) = 0;
  virtual void opened(uint64_t connection, DeviceIndex from, DeviceIndex to) = 0;
};

// What flows need of the world around them.
struct WireParts {
  WorldTime& time;
  Terrain& terrain;
  WireObserver& observer;
  Chance chance;             // of the wire alone
  kj::TaskSet couriers;      // whatever is under way
  uint64_t connections = 0;  // so far

  WireParts(WorldTime& time, Terrain& terrain, WireObserver& observer, Chance chance,
      kj::TaskSet::ErrorHandler& errors)
      : time(time),
        terrain(terrain),
        observer(observer),
        chance(chance),
        couriers(errors) {}
};

// The kernel of one device as far as connections see it. The world's device implements it.
class NetworkHost {
 public:
  virtual DeviceIndex index() const = 0;
  virtual bool isOn() const = 0;
  virtual kj::Promise<void> awake() = 0;  // resolves when the system is not suspended
  virtual bool isAwake() const = 0;
};

class Flow final: public kj::Refcounted {
 public:
  static constexpr size_t SEND_BUFFER_BYTES = 256 << 10;
  static constexpr size_t RECEIVE_WINDOW_BYTES = 256 << 10;
  static constexpr size_t PACKET_BYTES = 1'448;
  static constexpr kj::Duration RESEND_AFTER = 200 * kj::MILLISECONDS;  // doubling to
  static constexpr kj::Duration RESEND_AFTER_MAX = 60 * kj::SECONDS;
  static constexpr kj::Duration GIVE_UP_AFTER = 15 * kj::MINUTES;

  Flow(
      WireParts& wire, uint64_t connection, NetworkHost& from, NetworkHost& to, Ip toIp, Ip backIp);
  ~Flow() noexcept(false);

  // The sender's side.
  kj::Promise<void> write(kj::ArrayPtr<const kj::byte> bytes);
  void finish();               // no more bytes: an orderly end
  kj::Promise<void> broken();  // resolves when writing makes no sense any more
  bool isBroken() const { return dead; }

  // The receiver's side.
  kj::Promise<size_t> read(kj::byte* buffer, size_t least, size_t most);
  void abandon();  // the reader is gone: what arrives now is answered by a reset

  // Both ends learn that the connection is over.
  void reset();
  // The two directions of one connection.
  static void pair(Flow& one, Flow& other);
  // The sending device has lost power: nothing of this gets out any more.
  void vanish();

  size_t unread() const { return inboxBytes; }
  kj::Duration rtt() const { return lastRtt; }

 private:
  struct Segment {
    kj::Array<kj::byte> bytes;  // empty: the end
    kj::TimePoint arrives;
  };

  WireParts& wire;
  uint64_t connection;
  NetworkHost& from;
  NetworkHost& to;
  Ip toIp, backIp;
  kj::Maybe<Flow&> reverse;
  uint32_t fromBinding = 0, toBinding = 0;  // of the networks, when the connection was made
  kj::Duration lastRtt = 0 * kj::SECONDS;
  std::deque<Segment> underWay;
  size_t unacknowledged = 0;
  kj::TimePoint lastArrival = WorldTime::BEGINNING;
  std::deque<kj::Array<kj::byte>> inbox;
  size_t inboxBytes = 0, inboxOffset = 0;
  bool finished = false;   // by the sender
  bool ended = false;      // the end has arrived
  bool abandoned = false;  // by the reader
  bool dead = false;
  bool gone = false;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> writer, reader, drained;
  kj::PromiseFulfillerPair<void> breakage = kj::newPromiseAndFulfiller<void>();
  kj::ForkedPromise<void> breaking = breakage.promise.fork();
  bool carrying = false;

  void enqueue(kj::Array<kj::byte> bytes);
  kj::TimePoint arrivalOf(size_t bytes);
  void startCourier();
  kj::Promise<void> carry();
  kj::Promise<bool> passage();
  bool isOpen() const;
  void deliver(Segment segment);
  size_t take(kj::byte* buffer, size_t most);
  void die();
  static void ring(kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>>& bell);
};

// One end. Destroying it is what close() does.
class SimStream final: public kj::AsyncIoStream {
 public:
  SimStream(NetworkHost& host, kj::Own<Flow> out, kj::Own<Flow> in, Ip self, uint16_t selfPort,
      Ip peer, uint16_t peerPort);
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
  NetworkHost& host;
  kj::Own<Flow> out, in;
  Ip self, peer;
  uint16_t selfPort, peerPort;
};

}  // namespace hearth::sim

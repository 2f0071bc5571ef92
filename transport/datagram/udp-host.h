#pragma once
// All conversations over one UDP port: calls, answers, and makes of each a kj::AsyncIoStream, so that
// whatever runs over TCP runs over datagrams as well. The machines (greeting.h, conversation.h) decide,
// this moves their datagrams.
//
// A stream that is dropped lingers until what was written has arrived, as a TCP socket does.

#include "transport/datagram/conversation.h"
#include "transport/datagram/greeting.h"
#include "transport/datagram/secured.h"
#include "transport/link/lane-stream.h"
#include "transport/wire/datagram-socket.h"

#include <kj/timer.h>

namespace hearth::transport {

class UdpLine;

class UdpHost final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr size_t LINES_MAX = 256;   // conversations, those that linger included
  static constexpr size_t BACKLOG_MAX = 64;  // answered and not yet accepted
  static constexpr size_t CALLS_MAX = 64;    // own, that wait for a COOKIE
  static constexpr kj::Duration LINGER_MAX = 5 * kj::SECONDS;
  static constexpr kj::Duration LINGER_EARLY_MAX = 1 * kj::SECONDS;  // nobody was authenticated
  static constexpr kj::Duration CALL_AGAIN_AFTER = 100 * kj::MILLISECONDS;  // doubling
  static constexpr kj::Duration CALL_GIVE_UP_AFTER = 5 * kj::SECONDS;

  // `self` is this device's x_pk. Timer and entropy outlive the host. Streams may outlive it, and are
  // over then; promises of it may not.
  UdpHost(kj::Own<DatagramSocket> socket, const crypto::DhPublic& self, kj::Timer& timer,
      Entropy& entropy);
  ~UdpHost() noexcept(false);

  // Throws DISCONNECTED when nobody answers there, or not to this device; OVERLOADED at a limit of its own.
  kj::Promise<kj::Own<kj::AsyncIoStream>> connect(UdpAddress to, crypto::DhPublic peer);

  // As whom that device sees this one: the address that a NAT between gives it. Throws like connect().
  kj::Promise<UdpAddress> seenBy(UdpAddress to, crypto::DhPublic peer);

  // Whoever calls. Before somebody waits for it, nobody is answered. One at a time; the host outlives it.
  kj::Own<kj::ConnectionReceiver> listen();

  kj::uint port() { return socket->port(); }
  void addTo(Holdings& holdings) const;

 private:
  class Receiver;
  // One of our own that waits for its COOKIE; it lives in the coroutine that calls.
  struct Call {
    Caller caller;
    UdpAddress to;
    kj::Maybe<Introduction> introduction = nullptr;
    Bell answered = {};
  };

  kj::Own<DatagramSocket> socket;
  kj::Timer& timer;
  Entropy& entropy;
  Doorkeeper door;
  bool accepting = false;
  std::map<ConnectionId, kj::Own<UdpLine>> lines;
  std::map<ConnectionId, Call*> calls;
  std::deque<kj::Own<kj::AsyncIoStream>> waiting;
  Bell arrival;
  kj::Array<kj::byte> outbox;  // datagrams of one system call
  kj::TaskSet tasks;

  struct Greeted {
    Introduction introduction;
    kj::Maybe<kj::Duration> roundTrip;  // told only by the answer to a CALL that was the only one
  };

  kj::Promise<Greeted> greet(UdpAddress to, crypto::DhPublic peer);
  kj::Promise<void> receive();
  kj::Promise<kj::Own<kj::AsyncIoStream>> accept();
  void dispatch(Datagram& datagram, kj::TimePoint now, std::vector<UdpLine*>& touched);
  void called(Datagram& datagram, kj::TimePoint now);
  void cookieCame(Datagram& datagram);
  kj::Maybe<UdpLine&> lineOf(const Packet& packet, Datagram& datagram, kj::TimePoint now);
  UdpLine& begin(Conversation::Setup setup);
  kj::Own<kj::AsyncIoStream> streamOf(UdpLine& line);
  kj::Promise<void> drive(kj::Own<UdpLine> line);
  bool isDone(UdpLine& line);
  void flush(Conversation& conversation);
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::transport

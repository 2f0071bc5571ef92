#pragma once
// All links of this device, one per peer: calls the peers whose addresses it knows, answers those
// that call, keeps one link where both called at once, and calls again when a link is lost. Where
// nothing goes straight, a link goes through a third member, and straight as soon as that can be.
// The session with a peer goes from one link to the next with all of its streams (links-sessions.cc).

#include "transport/link/dialer.h"
#include "transport/link/link-view.h"
#include "transport/link/linked-peer.h"

namespace hearth::transport {

class DatagramSocket;
class Ferry;
class UdpConnector;
class UdpHost;

class Links final: private Link::Owner, private Connector, private kj::TaskSet::ErrorHandler {
 public:
  static constexpr size_t UNCONFIRMED_MAX = 64;  // beyond it the oldest caller is hung up on
  static constexpr size_t ADDRESSES_MAX = 16;    // of one peer, as devices tell each other
  static constexpr size_t CALLED_MAX = 24;       // of one peer, with what is only heard of it
  static constexpr size_t DETOURS_MAX = 4;  // members that are asked at a time to carry to one peer
  static_assert(Dialer::PATHS_MAX >= CALLED_MAX + DETOURS_MAX);
  static constexpr size_t CARRIED_HALF_OPEN_MAX = 8;  // of the gate's, what a member may bring
  // A link that ends sooner than this was no good: it is not called for at once again and again.
  static constexpr kj::Duration STEADY_AFTER = 1 * kj::SECONDS;
  static constexpr kj::Duration RPC_WITHIN = 30 * kj::SECONDS;  // of the session's beginning
  // Two calls this far apart are no longer calls at once: whoever calls now has no link any more, and
  // the one that is there died without a word.
  static constexpr kj::Duration AT_ONCE = HandshakeTools::AUTHENTICATE_WITHIN;

  // How long the streams of a session wait for another link when theirs is cut.
  static constexpr kj::Duration RESUME_WITHIN = 10 * kj::SECONDS;
  // When the observer is told, though: from the last sign of life, where somebody waits for the peer;
  // at once where nobody does.
  static constexpr kj::Duration NOTICED_WITHIN = 450 * kj::MILLISECONDS;

  // A member that has said no is asked again after this, or when its own link is a new one.
  static constexpr kj::Duration ASK_MEMBER_AGAIN_AFTER = 5 * kj::MINUTES;
  // When a link makes a detour, what goes straight is tried again (SECURITY.md §6.4).
  static constexpr kj::Duration BETTER_AFTER = 1 * kj::SECONDS;  // doubling to
  static constexpr kj::Duration BETTER_AFTER_MAX = 300 * kj::SECONDS;

  static constexpr kj::Duration MEET_WITHIN = 4 * kj::SECONDS;
  static constexpr kj::Duration MEET_AGAIN_AFTER = 500 * kj::MILLISECONDS;  // with one peer

  // First byte of a stream's header; other kinds go to the observer.
  static constexpr kj::byte STREAM_KIND_RPC = 1;
  static constexpr kj::byte STREAM_KIND_CARRY = 3;    // b[32] device: take me there
  static constexpr kj::byte STREAM_KIND_CARRIED = 4;  // b[32] device: it comes through me

  class Observer {
   public:
    // The peer is of use; and no longer. Streams that are open may outlive both: they end when the
    // session does.
    virtual void peerUp(const DeviceId& peer) = 0;
    virtual void peerDown(const DeviceId& peer, Error why) = 0;
    virtual void incoming(const DeviceId& peer, kj::Array<const kj::byte> header,
        kj::Own<kj::AsyncIoStream> stream) = 0;

    // The session with a peer that is up goes on over another link. The peer may have taken this device
    // for gone meanwhile, and forgotten what it knew of it.
    virtual void peerMoved(const DeviceId&) {}

    // A link makes a detour: tells the peer over it where this device is now, and asks the same of it.
    virtual kj::Promise<std::vector<std::string>> meet(const DeviceId&) {
      return std::vector<std::string>();
    }

    // What that peer gets from this device by RPC.
    virtual capnp::Capability::Client bootstrapFor(const DeviceId& peer) = 0;
  };

  // All outlive this object.
  Links(HandshakeTools tools, kj::Network& network, Observer& observer);
  ~Links() noexcept(false);

  // Peers are also called over paths of that kind. The connector outlives this object.
  void plug(Path::Kind kind, Connector& connector) { dialer.plug(kind, connector); }

  // Answers calls on `receiver` until this object is destroyed.
  void serve(kj::Own<kj::ConnectionReceiver> receiver);

  // Answers somebody who has called over that path.
  void answerOn(kj::Own<kj::AsyncIoStream> stream, Path path);

  // Calls and answers by datagrams as well, over this socket.
  void serveDatagrams(kj::Own<DatagramSocket> socket);

  // As whom others see this device's datagrams, as text of Paths: those that members with a direct link
  // and a `udp:` address say. Two of them are asked, since they tell the same where it helps.
  kj::Promise<std::vector<std::string>> seenAs();

  // Calls a peer now that is known to call from there, unless a link to it goes straight.
  void callAt(const DeviceId& peer, std::vector<std::string> addresses);

  // This device is at other addresses now: what it has links to is asked whether it is still there, and
  // called anew where that goes straight.
  void moved();

  // Where a peer may be found, best first, each as text of a Path. Calls it when there is no link, also
  // through other members; none: through these alone.
  void setAddresses(const DeviceId& peer, std::vector<std::string> addresses);

  // Errors: STALE when there is no link to the peer; those of Link::open.
  Result<kj::Own<kj::AsyncIoStream>> open(
      const DeviceId& peer, Lane lane, kj::ArrayPtr<const kj::byte> header);

  // The peer's bootstrap capability; calls on it fail DISCONNECTED when there is no link.
  capnp::Capability::Client rpc(const DeviceId& peer);

  bool isUp(const DeviceId& peer) const;
  std::vector<DeviceId> peersUp() const;
  kj::Maybe<Link::Facts> factsOf(const DeviceId& peer);
  kj::Maybe<kj::String> addressOf(const DeviceId& peer);
  std::vector<LinkView> views();
  kj::Maybe<Path> pathOf(const DeviceId& peer) const;

  // What this device carries for others.
  Ferry& carrying() { return *ferry; }

  // Fast liveness for the peer until the object is dropped, over one link or the next.
  kj::Own<void> attend(const DeviceId& peer);

  // Ends every link and what came over it at once, says nothing to the observer, and calls and answers
  // nobody any more. For an owner that is about to end what peers hold capabilities to.
  void hangUp();

  // Tells every peer what this device has learned about the circle.
  void sendNews();

  void addTo(Holdings& holdings) const;

  // Ends the link with a device that may have none any more, and calls it no longer.
  void drop(const DeviceId& peer, Errc reason);

 private:
  using Peer = LinkedPeer;

  HandshakeTools tools;
  kj::Network& network;
  TcpConnector tcp;
  Dialer dialer;
  kj::Own<Ferry> ferry;
  kj::Own<UdpHost> datagrams;
  kj::Own<UdpConnector> udp;
  Observer& observer;
  std::map<DeviceId, Peer> peers;
  std::vector<kj::Own<Link>> unconfirmed;  // and links for membership alone
  Gate gate;
  uint32_t nextIndex = 1;
  kj::TaskSet tasks;

  kj::Promise<void> acceptAll(kj::Own<kj::ConnectionReceiver> receiver, Path path);
  kj::Promise<void> answer(kj::Own<kj::AsyncIoStream> stream, Path path);
  kj::Promise<void> shakeHands(kj::Own<Carrier> carrier, Gate::Place& place);
  void dialSoon(const DeviceId& peer, kj::Duration after);
  kj::Promise<void> dial(DeviceId peer, kj::Duration after);
  std::vector<Path> pathsTo(const DeviceId& peer);
  kj::Promise<void> tryAll(DeviceId peer, std::vector<Path> paths);
  kj::Promise<bool> call(DeviceId peer, Dialer::Found found, bool onlyInDoubt = false);
  bool hasAnswered(const DeviceId& peer);
  bool mayAsk(const DeviceId& member, const DeviceId& target);
  void newWayThrough(const DeviceId& member);
  kj::Promise<void> improve(DeviceId peer);
  kj::Promise<void> improveOnce(DeviceId peer, std::vector<Path> paths);
  void callAnew(const DeviceId& peer, kj::Promise<void> calling);
  kj::Promise<void> callOver(DeviceId peer, std::vector<Path> paths);
  kj::Promise<void> callInDoubt(DeviceId peer);
  Result<void> carry(
      Link& from, kj::ArrayPtr<const kj::byte> header, kj::Own<kj::AsyncIoStream>& stream);
  kj::Promise<void> answerCarried(DeviceId member, kj::Own<kj::AsyncIoStream> stream);
  void makeRoom();
  void adopt(kj::Own<Carrier> carrier, Handshake handshake);
  bool chooses(const DeviceId& peer) const;
  bool prefers(const Link& fresh, const Peer& holding) const;
  void choose(Peer& peer, kj::Own<Link> link);
  void assume(Peer& peer, kj::Own<Link> link);
  void replace(Peer& peer, kj::Own<Link> link);
  void beginAnew(const DeviceId& id, Peer& peer, kj::Own<Session> session);
  Result<void> answered(const DeviceId& id, Peer& peer, const Resume& resume);
  Result<void> called(Link& link, Peer& peer, const Resume& resume);
  void carryOn(const DeviceId& id, Peer& peer);
  void agreed(Peer& peer);
  void part(const DeviceId& id, Peer& peer, Error why, kj::Duration silence);
  kj::Promise<void> waitForLink(DeviceId id, Error why, kj::Duration tellAfter);
  void announce(const DeviceId& id, Peer& peer);
  void renounce(const DeviceId& id, Peer& peer, Error why);
  void endSession(const DeviceId& id, Peer& peer, Error why);
  kj::Promise<void> expectRpc(DeviceId id);
  void startRpc(const DeviceId& id, Peer& peer, kj::Own<kj::AsyncIoStream> stream);
  kj::Own<Link> takeUnconfirmed(Link& link);
  void dropLater(kj::Own<Link> link);

  kj::Promise<kj::Own<kj::AsyncIoStream>> connect(const DeviceId& peer, const Path& path) override;
  void confirmed(Link& link) override;
  Result<void> resumed(Link& link, Resume resume) override;
  void restricted(Link& link) override;
  void incoming(
      Link& link, kj::Array<const kj::byte> header, kj::Own<kj::AsyncIoStream> stream) override;
  void doubted(Link& link) override;
  void closed(Link& link, Error why, Link::Ending ending) override;
  uint32_t freshIndex() override { return nextIndex++; }
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::transport

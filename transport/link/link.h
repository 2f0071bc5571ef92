#pragma once
// One authenticated link over one carrier, from the end of its handshake to the end of the carrier:
// seals and opens records, carries membership messages and, once the two sides have agreed on it, the
// streams of a session; watches for silence.

#include "crypto/handshake/data.h"
#include "transport/link/bulk-pace.h"
#include "transport/link/handover.h"
#include "transport/link/handshaker.h"
#include "transport/link/pulse.h"
#include "transport/link/record-sealer.h"
#include "transport/link/rekeyer.h"
#include "transport/link/session.h"

namespace hearth::transport {

class Link final: private Rekeyer::Host, private Pulse::Host {
 public:
  // Frames of the link itself that wait to be sent: a peer that makes it answer and does not read
  // loses the link when so many do. One answer more, at most a whole log, may come on top.
  static constexpr size_t OWN_FRAMES_MAX = 1'024;
  static constexpr size_t HANDSHAKE_RECORDS_MAX = 4;  // that wait to be sent
  static constexpr size_t MEMBERSHIP_CHUNK_BYTES = 32 << 10;
  static constexpr kj::Duration CARRYING_WITHIN = 30 * kj::SECONDS;  // of both sides' CONFIRM
  static constexpr size_t GATHERING_TURNS_MAX = 64;  // of the loop, for which small writes gather

  // What its end means to the session that it carried.
  enum class Ending : uint8_t {
    CUT,   // the carrier is of no use any more: another may do
    OVER,  // goodbye was said, or the peer broke the protocol
  };

  class Owner {
   public:
    // The peer has confirmed: what follows is really from it.
    virtual void confirmed(Link& link) = 0;

    // The peer goes on over this link. Errors end the link, and the session where this one is to carry it.
    virtual Result<void> resumed(Link& link, Resume resume) = 0;

    // From now on nothing but membership messages may pass.
    virtual void restricted(Link& link) = 0;

    // The peer opened a stream. `header` says what for.
    virtual void incoming(
        Link& link, kj::Array<const kj::byte> header, kj::Own<kj::AsyncIoStream> stream) = 0;

    // The peer has not answered for a while, and somebody waits for it: another link may be needed soon.
    virtual void doubted(Link& link) = 0;

    // The link is over, once. Drop it, but not from within this call.
    virtual void closed(Link& link, Error why, Ending ending) = 0;

    // Names keys of this process for which there are none yet.
    virtual uint32_t freshIndex() = 0;
  };

  struct Facts {
    double rttS = -1;                        // below 0: not measured
    double bandwidthBps = -1;                // bytes a second, as the kernel estimates it
    kj::Duration keysAge = 0 * kj::SECONDS;  // since the newest handshake
    uint32_t handshakes = 1;
  };

  Link(kj::Own<Carrier> carrier, Handshake handshake, HandshakeTools tools, Owner& owner);
  ~Link() noexcept(false);

  const DeviceId& peer() const { return handshake.session.peer; }
  bool initiated() const { return handshake.session.initiator; }
  bool membershipOnly() const { return isMembershipOnly || handshake.membershipOnly(); }
  // Membership messages alone, and no other handshake will change that soon.
  bool isRestricted() const {
    return isMembershipOnly || status() == crypto::LinkStatus::SUSPENDED ||
        status() == crypto::LinkStatus::REMOVED;
  }
  crypto::LinkStatus status() const { return handshake.session.status; }
  bool isUp() const { return peerConfirmed && !over; }

  // Under which a session begins over this link, if one does.
  const SessionToken& token() const { return freshToken; }

  // Is to carry the session: attends to the peer from now on as that asks.
  void prepare(kj::Own<Session> session);

  // Says from where the session goes on over this link; behind this side's CONFIRM.
  void say(const Resume& resume);

  // Carries the streams from now on, both ways. Requires prepare().
  void carry();
  bool isCarrying() const { return carrying; }
  bool hasCarried() const { return everCarried; }
  // Whether the peer, too, has said that the session goes over it.
  bool isAgreed() const { return peerResumed; }

  // Waits for a session again, as a link does that none has gone over.
  void giveBack();

  // Carries them no longer: what still comes of them is dropped.
  void letGo();
  bool isLetGo() const { return hasLetGo; }

  // Sends what this device has learned about the circle since.
  void sendNews();

  // Says goodbye and ends the link. BUSY: another link does its work.
  void close(Errc reason);
  // When the peer has had time to do so itself.
  void closeLater(Errc reason);

  // Asks whether the peer is still there.
  void askNow();
  bool isInDoubt() const { return pulse.isInDoubt(); }
  // Since the peer was heard for the last time.
  kj::Duration silence() const { return pulse.silence(); }

  Facts facts();
  const Path& path() const { return carrier->path(); }
  kj::String address();  // of the peer's end of the carrier
  void addTo(Holdings& holdings) const;

  // What one record of bulk takes at most now, by the bandwidth that was measured.
  size_t bulkChunkBytes() const { return pace.recordBytes(); }

 private:
  static constexpr size_t BATCH_BYTES = 64 << 10;  // sealed before one write
  static constexpr kj::Duration GOODBYE_WITHIN = 1 * kj::SECONDS;
  static constexpr kj::Duration CLOSE_LATER = 5 * kj::SECONDS;

  kj::Own<Carrier> carrier;
  Handshake handshake;
  kj::Timer& timer;
  Owner& owner;
  Rekeyer keys;
  std::deque<crypto::Buffer> handshakeRecords;  // ahead of everything that is not sealed yet
  Batch batch;                                  // what is being written
  bool batchHasBulk = false;
  BulkPace pace;
  Bell writer;
  SessionToken freshToken;
  kj::Maybe<kj::Own<Session>> session;
  Pulse pulse;
  kj::Own<MembershipExchange> exchange;
  struct OwnFrame {
    uint8_t type;
    kj::Array<kj::byte> body;
  };
  std::deque<OwnFrame> ownFrames;  // of the link itself; ahead of all lanes
  bool peerConfirmed = false;
  bool peerResumed = false;
  bool carrying = false;
  bool everCarried = false;
  bool hasLetGo = false;
  bool isMembershipOnly = false;
  bool closing = false;
  bool over = false;
  kj::Promise<void> reading;
  kj::Promise<void> writing;
  kj::Promise<void> watching;
  kj::Promise<void> placing;  // until a session goes on over it, or behind that

  kj::Promise<void> guarded(kj::Promise<void> task);
  kj::Promise<void> read();
  kj::Promise<void> write();
  void measure();
  void expectSession();
  bool isEarly() const;
  bool mayCarry() const;
  // Of this process to the session's streams, so far.
  uint64_t writes() {
    KJ_IF_MAYBE(ours, session) return (*ours)->lanes().writes;
    return 0;
  }
  void sealBatch();
  bool sealNext();
  Result<void> receivedAll();
  Result<void> received(RecordView record);
  Result<void> data(RecordView record);
  Result<void> bulk(RecordView record);
  Result<void> bulkChunk(const crypto::BulkView& chunk);
  void measured(kj::Duration roundTrip);
  Result<void> received(const crypto::DataView& frame);
  Result<void> ownFrame(const crypto::DataView& frame);
  Result<void> goodbye(crypto::Bytes body);
  Result<void> resume(crypto::Bytes body);
  Result<void> laneFrame(const crypto::DataView& frame);
  Result<void> membership(Result<MembershipExchange::Step> step);
  void sendOwn(uint8_t type, kj::Array<kj::byte> body);
  void sendMembership(kj::Array<kj::byte> bytes);
  void end(Error why, Ending ending);

  void sendPing(kj::Array<kj::byte> token) override;
  void sendSign() override;
  void doubtful() override { owner.doubted(*this); }
  void silent() override;
  void sendHandshake(crypto::Buffer record, bool expectsAnswer) override;
  void renewed() override;
  void expired(Error why) override;
  uint32_t freshIndex() override { return owner.freshIndex(); }
};

}  // namespace hearth::transport

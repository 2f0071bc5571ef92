#pragma once
// One authenticated link over one carrier, from the end of its handshake to the end of the carrier:
// seals and opens records, carries the streams of a session and membership messages, watches for silence.

#include "crypto/handshake/data.h"
#include "transport/link/bulk-pace.h"
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
  static constexpr size_t GATHERING_TURNS_MAX = 64;  // of the loop, for which small writes gather

  class Owner {
   public:
    // The peer has confirmed: what follows is really from it, and streams may be opened.
    virtual void confirmed(Link& link) = 0;

    // The peer opened a stream. `header` says what for.
    virtual void incoming(
        Link& link, kj::Array<const kj::byte> header, kj::Own<kj::AsyncIoStream> stream) = 0;

    // The link is over, once. Drop it, but not from within this call.
    virtual void closed(Link& link, Error why) = 0;

    // Names keys of this process for which there are none yet.
    virtual uint32_t freshIndex() = 0;
  };

  struct Facts {
    double rttS = -1;                        // below 0: not measured
    double bandwidthBps = -1;                // bytes a second, as the kernel estimates it
    kj::Duration keysAge = 0 * kj::SECONDS;  // since the newest handshake
    uint32_t handshakes = 1;
    std::array<Session::Traffic, LANES> lanes;
    LiveCounts live;  // frames with deadlines
  };

  Link(kj::Own<Carrier> carrier, Handshake handshake, HandshakeTools tools, Owner& owner);
  ~Link() noexcept(false);

  const DeviceId& peer() const { return handshake.session.peer; }
  bool initiated() const { return handshake.session.initiator; }
  bool membershipOnly() const { return restricted || handshake.membershipOnly(); }
  // Membership messages alone, and no other handshake will change that soon.
  bool isRestricted() const {
    return restricted || status() == crypto::LinkStatus::SUSPENDED ||
        status() == crypto::LinkStatus::REMOVED;
  }
  crypto::LinkStatus status() const { return handshake.session.status; }
  bool isUp() const { return peerConfirmed && !over; }

  // Errors: LIMIT_EXCEEDED; STALE when the link is over or carries membership messages alone.
  Result<kj::Own<kj::AsyncIoStream>> open(Lane lane, kj::ArrayPtr<const kj::byte> header);

  // Sends what this device has learned about the circle since.
  void sendNews();

  // Says goodbye and ends the link.
  void close(Errc reason);

  // Whether somebody waits for the peer now, or for a stream's bytes.
  bool isWaitedFor() const { return session->isWaitedFor(); }

  // Somebody waits for the peer until the returned object is dropped.
  kj::Own<void> attend() { return session->attend(); }

  Facts facts();
  const Path& path() const { return carrier->path(); }
  kj::String address();  // of the peer's end of the carrier
  void addTo(Holdings& holdings) const;

  // What one record of bulk takes at most now, by the bandwidth that was measured.
  size_t bulkChunkBytes() const { return pace.recordBytes(); }

 private:
  static constexpr size_t BATCH_BYTES = 64 << 10;  // sealed before one write
  static constexpr kj::Duration GOODBYE_WITHIN = 1 * kj::SECONDS;

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
  kj::Own<Session> session;
  Pulse pulse;
  kj::Own<MembershipExchange> exchange;
  struct OwnFrame {
    uint8_t type;
    kj::Array<kj::byte> body;
  };
  std::deque<OwnFrame> ownFrames;  // of the link itself; ahead of all lanes
  bool peerConfirmed = false;
  bool restricted = false;
  bool closing = false;
  bool over = false;
  kj::Promise<void> reading;
  kj::Promise<void> writing;
  kj::Promise<void> watching;

  kj::Promise<void> guarded(kj::Promise<void> task);
  kj::Promise<void> read();
  kj::Promise<void> write();
  void measure();
  void sealBatch();
  bool sealNext();
  Result<void> receivedAll();
  Result<void> received(RecordView record);
  Result<void> data(RecordView record);
  Result<void> bulk(RecordView record);
  Result<void> received(const crypto::DataView& frame);
  Result<void> laneFrame(const crypto::DataView& frame);
  Result<void> membership(Result<MembershipExchange::Step> step);
  void sendOwn(uint8_t type, kj::Array<kj::byte> body);
  void sendMembership(kj::Array<kj::byte> bytes);
  void end(Error why);

  void sendPing(kj::Array<kj::byte> token) override;
  void silent() override;
  void sendHandshake(crypto::Buffer record, bool expectsAnswer) override;
  void renewed() override;
  void expired(Error why) override;
  uint32_t freshIndex() override { return owner.freshIndex(); }
};

}  // namespace hearth::transport

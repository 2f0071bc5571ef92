#pragma once
// The keys of one link, handshake after handshake: which to seal under, which open a record, and when each
// is wiped (SECURITY.md §6.4). A pure machine.
//
//   HS_RESP read (initiator) ──────────────────────────────────────┐
//                                                                  ▼
//   HS_RESP sent (responder) ──▶ NEXT ── a record opens under it ─▶ CURRENT ──▶ FORMER ──▶ wiped
//                                                                      │          on the first record
//                                                                      │          under CURRENT, or
//                                                                      ▼          after 10 s
//                                                     wiped at 1.5 times the age at which they are due
//
// A link outlives its keys: where nobody said anything they are wiped in time, and whoever wants to speak
// makes new ones first.

#include "crypto/handshake/bulk.h"
#include "crypto/handshake/link-handshake.h"

namespace hearth::crypto {

class KeyRing final {
 public:
  static constexpr kj::Duration FORMER_FOR = 10 * kj::SECONDS;
  static constexpr kj::Duration NEXT_FOR =
      10 * kj::SECONDS;  // then the handshake has come to nothing
  // Nothing is sealed under keys that would be wiped while the record is on its way.
  static constexpr kj::Duration ON_THE_WAY_MAX = 10 * kj::SECONDS;

  // Takes the keys of both directions out of `session`; what is exported from it stays.
  KeyRing(LinkSession& session, kj::TimePoint now);

  // Takes the keys of another handshake of the same link.
  void add(LinkSession& session, kj::TimePoint now);

  // What to seal the next record with. None: a handshake must come first.
  struct Sealing {
    SendingKey& key;
    uint32_t receiverIndex;
    kj::Maybe<BulkSender&> bulk;  // where BULK records may pass
  };
  kj::Maybe<Sealing> sealing(kj::TimePoint now);

  // What opens a record for `receiverIndex`. None: these keys were wiped, or never were; the link ends.
  struct Opening {
    ReceivingKey& key;
    kj::Maybe<BulkReceiver&> bulk;
  };
  kj::Maybe<Opening> opening(uint32_t receiverIndex, kj::TimePoint now);

  // Whether BULK records may come.
  bool carriesBulk() const;

  // A record has opened. Whether this side seals under new keys from now on: then it owes the peer a
  // record under them, on which the peer wipes the old ones.
  bool opened(uint32_t receiverIndex, kj::TimePoint now);

  // Whether the keys are old enough for the next handshake.
  bool isDue(kj::TimePoint now) const;

  // Wipes what has had its time. Call when wakeAt() has come.
  void tick(kj::TimePoint now);
  kj::Maybe<kj::TimePoint> wakeAt() const;

  kj::Duration age(kj::TimePoint now) const { return now - bornAt; }
  uint32_t handshakes() const { return count; }

 private:
  struct Keys {
    SendingKey sending;
    ReceivingKey receiving;
    kj::Maybe<BulkSender> bulkSending;  // both, or neither
    kj::Maybe<BulkReceiver> bulkReceiving;
    uint32_t ownIndex;
    uint32_t peerIndex;
    kj::Duration dueAfter;
    kj::Duration expiresAfter;
    kj::TimePoint madeAt;
  };

  kj::Maybe<Keys> next;     // as a responder: until the initiator has shown that it has them
  kj::Maybe<Keys> current;  // none: wiped by their age
  kj::Maybe<Keys> former;   // still opens what was on its way
  kj::TimePoint formerSince = kj::origin<kj::TimePoint>();
  kj::TimePoint bornAt;  // of the newest keys that both sides have
  kj::Duration dueAfter;
  uint32_t count = 1;

  static Keys keysOf(LinkSession& session, kj::TimePoint now);
  void replace(Keys keys, kj::TimePoint now);
};

}  // namespace hearth::crypto

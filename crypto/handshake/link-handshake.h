#pragma once
// The handshake of two devices of one circle, as two machines that turn records into records:
//
//   LinkInitiator                                 LinkResponder
//   begin -> initRecord()     -- HS_INIT -->      readHsInit, mac1Holds, (cookie), open()
//                                                 opening(): who claims to call; judge() it
//   finish() -> LinkSession   <-- HS_RESP --      answer() -> record and LinkSession
//
// IKhfspsk2 links members of the circle that know one epoch; IKhfs (no psk) carries membership
// messages only, for a peer whose epoch is old. Message 1 can be replayed and carries no data: until
// the first DATA record opens, a responder may act on nothing but the counter in it.

#include "crypto/handshake/cookies.h"
#include "crypto/handshake/ephemeral-guard.h"
#include "crypto/handshake/session.h"
#include "crypto/identity/bundle.h"
#include "crypto/identity/circle-keys.h"

namespace hearth::crypto {

// This device as a party of handshakes. `x` outlives every machine made from it.
struct LinkSelf {
  DeviceId id;
  const DhSecret& x;
  BundleHash bundle;
  CircleId circle;
  uint16_t rehandshakeS;  // REHANDSHAKE_MAINS_S or REHANDSHAKE_BATTERY_S
  bool hasAes = false;    // `bundle` has AES_HW set
};

constexpr uint16_t REHANDSHAKE_MAINS_S = 900;
constexpr uint16_t REHANDSHAKE_BATTERY_S = 3600;

// The peer as the membership log knows it.
struct LinkPeer {
  DeviceId id;
  DhPublic x;
  BundleHash bundle;
  bool hasAes = false;  // `bundle` has AES_HW set
};

enum class LinkStatus : uint16_t {
  OK = 0,
  VIEW_DIFFERS = 1,  // bundle hashes differ: membership frames only, then a fresh handshake
  SUSPENDED = 2,     // the initiator is: membership frames only
  REMOVED = 3,       // the initiator is: membership frames only
};

struct LinkSession {
  Protocol protocol;
  bool initiator;
  DeviceId peer;
  uint32_t ownIndex;
  uint32_t peerIndex;
  BundleHash peerBundle;  // as the peer states it
  LinkStatus status;
  bool bulk;                      // BULK records may pass (SECURITY.md §6.5)
  kj::Duration rehandshakeAfter;  // the larger of both values
  SessionKeys keys;

  // After 1.5 times rehandshakeAfter the keys are to be wiped.
  kj::Duration expiresAfter() const { return rehandshakeAfter * 3 / 2; }
};

class LinkInitiator final {
 public:
  struct Setup {
    LinkSelf self;
    LinkPeer peer;
    uint32_t index;        // names this side's keys in records; not in use for another link
    uint64_t initCounter;  // greater than any sent to this peer before
    kj::Maybe<Cookie> cookie = nullptr;  // from an earlier COOKIE of this peer's
  };

  // With the epoch's id and link PSK IKhfspsk2 is spoken, without IKhfs.
  struct EpochPsk {
    EpochId epoch;
    LinkPsk psk;
  };

  // Errors: SMALL_ORDER when the peer's static key cannot be used.
  static Result<LinkInitiator> begin(
      Setup setup, kj::Maybe<EpochPsk> epochPsk, Entropy& entropy, EphemeralGuard& guard);

  uint32_t index() const { return setup.index; }

  // The whole HS_INIT record. Sent again as it is, it is a replay: one record, one try.
  Buffer initRecord() const;

  // Takes the body of a COOKIE record, after which initRecord() carries a valid mac2.
  // Errors: BAD_FORMAT, DECRYPT_FAILED, UNKNOWN_PEER when it names another index.
  Result<Cookie> takeCookie(Bytes body);

  // Takes the body of the HS_RESP record. Call once; the machine is of no use after an error.
  // Errors: BAD_FORMAT, BAD_LENGTH, DECRYPT_FAILED, SMALL_ORDER; UNKNOWN_PEER when it names another
  // index or another device than the one that was called.
  Result<LinkSession> finish(Bytes body);

 private:
  Setup setup;
  Protocol protocol;
  Noise noise;
  Buffer message;

  LinkInitiator(Setup setup, Protocol protocol, Noise noise)
      : setup(kj::mv(setup)),
        protocol(protocol),
        noise(kj::mv(noise)) {}
};

// What message 1 claims. Only the static key and what came under it are authentic, and they may be
// a replay.
struct LinkOpening {
  Protocol protocol;
  uint32_t peerIndex;
  uint64_t initCounter;
  DeviceId device;
  DhPublic x;
  BundleHash bundle;       // the initiator's own
  BundleHash bundleKnown;  // the responder's, as the initiator knows it
  EpochId epoch;           // zero in IKhfs
  uint16_t rehandshakeS;
};

// The claimed device as the responder's log and memory have it.
struct LinkCaller {
  DhPublic x;
  uint64_t lastInitCounter;  // 0 when none was ever accepted
};

// The checks after message 1, in the order of the specification.
// Errors: UNKNOWN_PEER when the static key is not the device's; REPLAY when it is this device's own
// message coming back or its counter is not greater than the last.
Result<void> judge(const LinkOpening& opening, const LinkSelf& self, const LinkCaller& caller);

// OK or VIEW_DIFFERS.
LinkStatus bundleStatus(
    const LinkOpening& opening, const BundleHash& own, const BundleHash& peerKnown);

class LinkResponder final {
 public:
  struct Answer {
    Buffer record;  // HS_RESP
    LinkSession session;
  };

  // Requires that mac1 and the cookie state were checked before.
  // Errors: BAD_VERSION for another suite or a protocol that is not for links; BAD_FORMAT,
  // BAD_LENGTH, DECRYPT_FAILED, SMALL_ORDER.
  static Result<LinkResponder> open(
      const LinkSelf& self, const HsInit& init, Entropy& entropy, EphemeralGuard& guard);

  const LinkOpening& opening() const { return opened; }

  // `psk` is given exactly when the protocol is IKhfspsk2. `peerKnown` is the initiator's bundle as
  // this device knows it (zero when unknown), `peerHasAes` its flag. Call once.
  // Errors: SMALL_ORDER, BAD_FORMAT for unusable ephemerals of the peer.
  Result<Answer> answer(uint32_t index, kj::Maybe<LinkPsk> psk, const BundleHash& peerKnown,
      LinkStatus status, bool peerHasAes = false);

 private:
  LinkSelf self;
  Noise noise;
  LinkOpening opened;

  LinkResponder(const LinkSelf& self, Noise noise, LinkOpening opened)
      : self(self),
        noise(kj::mv(noise)),
        opened(opened) {}
};

}  // namespace hearth::crypto

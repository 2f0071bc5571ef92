#pragma once
// Keeps two logs equal over one link (docs/PROTOCOL.md, "Membership"). A pure machine: both sides
// state their heads in CONFIRM; each then sends what the other lacks, and DONE.
//
//   CONFIRM  list8<b[32] head> | list16<b[32] author, u64 seq, b[32] hash> | list16<var16 envelope>
//   message  u32 length | u8 kind | body       3 OP envelope, 4 HEARTBEAT envelope,
//                                              5 FORK var32 envelope, var32 envelope, 6 DONE
//
// The newest op of each author shows who is older than it was (SECURITY.md §5.7): a peer that says
// less of itself than is known of it was put back to an earlier copy of its disk.

#include "crypto/handshake/messages.h"
#include "crypto/membership/heartbeats.h"
#include "crypto/membership/log.h"

namespace hearth::crypto {

// Seq and hash of an author's newest op.
using Newest = std::pair<uint64_t, OpHash>;

class LogExchange final {
 public:
  // What a peer that is not in the log may push before its Add has come (SECURITY.md §6.2).
  static constexpr size_t STRANGER_OPS_MAX = 64;
  static constexpr size_t STRANGER_BYTES_MAX = 256 << 10;

  struct Step {
    std::vector<Buffer> ops;         // envelopes that came in, for the log
    std::vector<Buffer> heartbeats;  // the same, for Heartbeats
    Buffer send;                     // for the peer; may be empty
    bool done = false;               // both sides have sent DONE
    bool peerIsBehind = false;       // it has forgotten ops of its own
    bool selfIsBehind = false;       // so has this device
  };

  // `log` and `beats` outlive this object and may grow meanwhile. Make it before the peer states its heads:
  // what comes of it meanwhile over another link is no reason to think that it has forgotten.
  LogExchange(const MembershipLog& log, DeviceId peer, bool stranger,
      kj::Maybe<const DeviceId&> self = nullptr, kj::Maybe<const Heartbeats&> beats = nullptr)
      : log(log),
        beats(beats),
        peer(peer),
        stranger(stranger) {
    KJ_IF_MAYBE(id, self) own = *id;
    auto newest = log.newestByAuthor();
    if (auto found = newest.find(peer); found != newest.end()) peersNewest = found->second;
  }

  Buffer heads() const;
  // Errors: BAD_FORMAT.
  Result<Step> confirmed(Bytes body);
  // Errors: BAD_FORMAT, BAD_LENGTH, LIMIT_EXCEEDED.
  Result<Step> received(Bytes bytes);
  // Ops that this side has stored since it last sent.
  Buffer news();

 private:
  const MembershipLog& log;
  kj::Maybe<const Heartbeats&> beats;
  DeviceId peer;
  DeviceId own;        // zero: nobody's
  Newest peersNewest;  // of the peer's own ops, when this link began
  bool stranger;
  bool confirmedByPeer = false;
  bool peerDone = false;
  size_t sentUpto = 0;     // ops of our log that the peer has been sent or had
  uint64_t beatsSent = 0;  // of Heartbeats::changes(), those that the peer has been sent
  size_t opsTaken = 0;
  size_t bytesTaken = 0;
  MessageReader reader;

  enum class Audience : uint8_t { MEMBER, GONE, STRANGER };
  Audience audience() const;
  std::vector<Bytes> freshBeats();
  void compare(const std::map<DeviceId, Newest>& stated, Step& step) const;
  Result<void> take(uint8_t kind, Buffer body, Step& step);
  Result<void> takeOp(Buffer envelope, Step& step);
};

// The whole log as messages, for pairing, and back.
Buffer encodeLog(const MembershipLog& log);
// Errors: BAD_FORMAT, BAD_LENGTH.
Result<std::vector<Buffer>> decodeLog(Bytes messages);

}  // namespace hearth::crypto

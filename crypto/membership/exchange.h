#pragma once
// Keeps two logs equal over one link (docs/PROTOCOL.md, "Membership"). A pure machine: both sides
// state their heads in CONFIRM; each then sends what the other lacks, and DONE.
//
//   CONFIRM  list8<b[32] head> | list16<b[32] author, u64 seq, b[32] hash> | list16<var16 envelope>
//   message  u32 length | u8 kind | body       3 OP envelope, 6 DONE; cut freely over frames

#include "crypto/handshake/messages.h"
#include "crypto/membership/log.h"

namespace hearth::crypto {

class LogExchange final {
 public:
  // What a peer that is not in the log may push before its Add has come (SECURITY.md §6.2).
  static constexpr size_t STRANGER_OPS_MAX = 64;
  static constexpr size_t STRANGER_BYTES_MAX = 256 << 10;

  struct Step {
    std::vector<Buffer> ops;  // envelopes that came in, for the log
    Buffer send;              // for the peer; may be empty
    bool done = false;        // both sides have sent DONE
  };

  // `log` outlives this object and may grow meanwhile.
  LogExchange(const MembershipLog& log, DeviceId peer, bool stranger)
      : log(log),
        peer(peer),
        stranger(stranger) {}

  Buffer heads() const;
  // Errors: BAD_FORMAT.
  Result<Step> confirmed(Bytes body);
  // Errors: BAD_FORMAT, BAD_LENGTH, LIMIT_EXCEEDED.
  Result<Step> received(Bytes bytes);
  // Ops that this side has stored since it last sent.
  Buffer news();

 private:
  const MembershipLog& log;
  DeviceId peer;
  bool stranger;
  bool confirmedByPeer = false;
  bool peerDone = false;
  size_t sentUpto = 0;  // ops of our log that the peer has been sent or had
  size_t opsTaken = 0;
  size_t bytesTaken = 0;
  MessageReader reader;

  enum class Audience : uint8_t { MEMBER, GONE, STRANGER };
  Audience audience() const;
  Result<void> take(uint8_t kind, Buffer body, Step& step);
};

// The whole log as messages, for pairing, and back.
Buffer encodeLog(const MembershipLog& log);
// Errors: BAD_FORMAT, BAD_LENGTH.
Result<std::vector<Buffer>> decodeLog(Bytes messages);

}  // namespace hearth::crypto

#pragma once
// What stands in a packet between header and tag (docs/PROTOCOL.md, "UDP carrier"):
//
//   u8 flags, then in the order of the bits what is set of
//   1 ACK      u64 newest | u32 delay_us | u32 run | u8 n | n * (u32 gap | u32 run)
//              numbers that have come: `run` of them down from newest, then `gap` that have not, and so on
//   2 CREDIT   u64        the stream may be sent up to this offset
//   4 PROBE    b[8]       come back with it from where you are
//   8 ANSWER   b[8]       here it is
//   16 RESET              the stream is over, unread bytes with it
//   32 PING               nothing, but to be acknowledged
//   64 STREAM  u64 offset, bytes to the end of the frames
//   128 END               with STREAM: the stream ends behind these bytes

#include "crypto/primitives/bytes.h"
#include "transport/datagram/packet.h"
#include "transport/datagram/ranges.h"

#include <kj/time.h>

namespace hearth::transport {

struct Ack {
  static constexpr size_t RUNS_MAX = 32;

  uint64_t newest = 0;
  kj::Duration delay = 0 * kj::SECONDS;  // since the newest came; to the microsecond
  Range runs[RUNS_MAX];                  // descending; at least one, which ends behind newest
  size_t count = 0;
};

using ProbeToken = Id<struct ProbeTokenTag, 8>;

struct Frames {
  kj::Maybe<Ack> ack;
  kj::Maybe<uint64_t> credit;
  kj::Maybe<ProbeToken> probe, answer;
  bool reset = false;
  bool ping = false;
  bool stream = false;  // the three below
  uint64_t offset = 0;
  crypto::Bytes bytes;
  bool end = false;

  // Whether the peer acknowledges it.
  bool isEliciting() const {
    return credit != nullptr || probe != nullptr || answer != nullptr || ping || stream;
  }
};

// Errors: BAD_FORMAT.
Result<Frames> readFrames(crypto::Bytes input);

// Everything but the bytes of the stream, which the caller writes behind it. Gives how long it is.
// Requires room: see framesBytes.
size_t writeFrames(const Frames& frames, kj::ArrayPtr<kj::byte> out);

// What writeFrames will take.
size_t framesBytes(const Frames& frames);

}  // namespace hearth::transport

#pragma once
// What the lanes of a session are made of: their names, the frames they send and one stream's state.

#include "core/base/result.h"
#include "transport/link/byte-ring.h"
#include "transport/link/lane-states.h"
#include "transport/link/live-frames.h"

#include <kj/array.h>

namespace hearth::transport {

enum class Lane : uint8_t { CONTROL = 0, LIVE = 1, INTERACTIVE = 2, BULK = 3 };
constexpr size_t LANES = 4;

// Frame types of the lanes inside DATA records; lower numbers belong to the link itself.
enum class LaneFrame : uint8_t {
  STREAM = 4,         // u32 id | bytes
  BULK_END = 6,       // u32 id | u64 bytes | u32 records
  OPEN = 8,           // u32 id | u8 lane | u32 window | var16 header
  CREDIT = 9,         // u32 id | u64 taken | u32 window
  FIN = 10,           // u32 id
  RESET = 11,         // u32 id | u16 errc
  FRAME = 20,         // u32 id | u64 number | u32 sent_us | u32 left_us | bytes
  FRAME_CREDIT = 21,  // u32 id | u64 number | u64 late
  FIN_ACK = 23,       // u32 id
};

constexpr size_t LANE_FRAME_HEAD_BYTES = 4 + 8 + 4 + 4;  // of a FRAME, before its bytes

// A frame to be sent. Its body is `head`, then what `bytes` shows; neither is kept here for long. A `bulk`
// one is a chunk of a stream for a BULK record, which says itself of which stream and from where on.
struct LaneOutFrame {
  static constexpr size_t HEAD_BYTES_MAX = 24;

  LaneFrame type;
  Lane lane;
  bool bulk = false;
  uint8_t headBytes = 0;
  kj::byte headStore[HEAD_BYTES_MAX];
  ByteRing::View bytes;
  StreamId stream = 0;  // of a chunk
  uint64_t offset = 0;  // of a chunk's first byte

  LaneOutFrame(LaneFrame type, Lane lane): type(type), lane(lane) {}

  template <typename T>
  LaneOutFrame& put(T value) {
    for (size_t i = 0; i < sizeof(T); ++i)
      headStore[headBytes++] = static_cast<kj::byte>(static_cast<uint64_t>(value) >> (8 * i));
    return *this;
  }
  kj::ArrayPtr<const kj::byte> head() const { return kj::arrayPtr(headStore, headBytes); }
  size_t bodyBytes() const { return headBytes + bytes.size(); }

  // Writes the whole body. Requires room for bodyBytes().
  void copyTo(kj::byte* out) const;
};

// What a received frame changed, for the caller to act on.
struct LaneEvent {
  enum class Kind : uint8_t { NOTHING, OPENED, READABLE, WRITABLE, FRAME, ENDED, RESET };
  Kind kind = Kind::NOTHING;
  StreamId stream = 0;
};

// One stream as one side sees it. Offsets count the bytes of one direction from 0.
//
//   sending:   kept ..... sent ..... written        kept: all before has been read by the peer
//   receiving: taken .... received                  between lie the unread bytes
struct LaneStreamState {
  Lane lane = Lane::CONTROL;
  kj::Array<kj::byte> header;

  ByteRing out;         // from `kept` on
  uint64_t kept = 0;    // offset of out's first byte
  uint64_t sent = 0;    // offset of the next byte to send
  uint64_t credit = 0;  // offset up to which may be sent

  ByteRing in;          // the unread bytes
  uint64_t taken = 0;   // offset of in's first byte
  uint64_t stated = 0;  // `taken` as the peer knows it
  uint32_t window = 0;  // what may come on top of `stated`

  kj::Maybe<kj::Own<LiveFrames>> frames;  // none before the first
  uint32_t bulkSent = 0;                  // BULK records over this carrier
  uint32_t bulkReceived = 0;

  bool opened = false;       // OPEN has been sent, or has come
  bool finishing = false;    // no more is written
  bool bulkEndSent = false;  // owed before FIN where BULK records were sent
  bool bulkEndCame = false;  // and before the peer's
  bool finSent = false;      //
  bool finKnown = false;     // the peer has all of it
  bool finReceived = false;  // the peer has finished
  bool finAckOwed = false;   // and does not yet know that it is known
  bool released = false;     // nobody here cares any more: what comes is dropped
  bool queued = false;       // stands among those that have a frame to send
  bool atEnd = false;        // both directions are over on the wire; only an owner keeps it

  uint64_t written() const { return kept + out.size(); }
  uint64_t received() const { return taken + in.size(); }
  uint64_t granted() const { return stated + window; }
  size_t unsent() const { return static_cast<size_t>(written() - sent); }
  bool creditIsDue() const { return taken - stated >= window / 2 && !finReceived; }
  bool finIsDue() const { return finishing && !finSent && unsent() == 0; }
  bool bytesAreDue() const { return unsent() > 0 && credit > sent; }
  bool frameCreditIsDue() const { return asked(&LiveReceiver::creditIsDue) && !finReceived; }
  bool mayHaveLiveFrame() const { return asked(&LiveSender::mayHaveNext) && !finSent; }
  bool bulkEndIsDue() const { return bulkSent > 0 && !bulkEndSent; }
  bool hasFrame() const {
    return opened &&
        (finAckOwed || creditIsDue() || frameCreditIsDue() || mayHaveLiveFrame() || bytesAreDue() ||
            finIsDue());
  }

  LiveFrames& liveFrames() {
    KJ_IF_MAYBE(there, frames) return **there;
    return *frames.emplace(kj::heap<LiveFrames>());
  }

  // The peer has read everything before `offset`.
  void keepFrom(uint64_t offset) {
    out.drop(static_cast<size_t>(offset - kept));
    kept = offset;
  }

 private:
  bool asked(bool (LiveSender::*question)() const) const {
    KJ_IF_MAYBE(there, frames) return ((*there)->out.*question)();
    return false;
  }
  bool asked(bool (LiveReceiver::*question)() const) const {
    KJ_IF_MAYBE(there, frames) return ((*there)->in.*question)();
    return false;
  }
};

}  // namespace hearth::transport

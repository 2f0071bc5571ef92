#pragma once
// Frames with deadlines, which a stream of the live lane carries beside its bytes. A frame comes whole or
// not at all, and nothing is sent twice:
//
//   write ─▶ queue ─ deadline passed? ─▶ sealed ─▶ the way ─▶ came too late? ─▶ queue ─ read too late? ─▶ read
//            oldest │ dropped here                                │ late                 │ late
//            out    ▼                                             ▼                      ▼
//
// Both ends count. Numbers go on for frames that are dropped, so that a reader sees the gap. A pure
// machine of each end; Lanes holds them (lanes.h).

#include "core/base/result.h"

#include <kj/array.h>
#include <kj/time.h>

#include <cstdint>
#include <deque>

namespace hearth::transport {

// Of one session, over all its streams and links.
struct LiveCounts {
  uint64_t sent = 0;       // sealed in time
  uint64_t dropped = 0;    // of ours: past their deadline, or too many, before they could be sealed
  uint64_t lateThere = 0;  // of ours: late at the peer, as far as it has said
  uint64_t received = 0;   // of the peer's: given to their reader in time
  uint64_t late = 0;       // of the peer's: came too late, or were not read in time
  uint64_t missing = 0;    // of the peer's: never came, by their numbers
};

// As its reader gets it.
struct LiveFrame {
  uint64_t number;   // from 1
  uint64_t skipped;  // that the reader was not given since the one before
  kj::Array<kj::byte> bytes;
};

struct LiveLimits {
  // Sealed, and not known to be read or dropped at the other end. Both ends know it.
  static constexpr size_t UNREAD_MAX = 32;
  static constexpr size_t QUEUED_MAX = 32;  // written and not sealed: past it the oldest is dropped
  static constexpr kj::Duration DEADLINE_MAX = 60 * kj::SECONDS;
};

// As it waits in a queue, of either end.
struct WaitingFrame {
  uint64_t number;
  kj::TimePoint deadline;
  kj::Array<kj::byte> bytes;
};

class LiveSender final {
 public:
  struct Sealing {
    uint64_t number;
    uint32_t leftUs;
    kj::ArrayPtr<const kj::byte> bytes;  // until this machine is asked again
  };

  // Gives its number.
  uint64_t put(
      kj::ArrayPtr<const kj::byte> bytes, kj::TimePoint deadline, kj::TimePoint now, LiveCounts&);

  bool mayHaveNext() const { return !queue.empty() && unread.size() < LiveLimits::UNREAD_MAX; }
  kj::Maybe<Sealing> next(kj::TimePoint now, LiveCounts&);

  // The peer has done with all frames up to `number`, and found `late` of all so far too late.
  // Errors: LIMIT_EXCEEDED, BAD_FORMAT.
  Result<void> credited(uint64_t number, uint64_t late, LiveCounts&);

  void dropAll(LiveCounts&);
  void carrierChanged() { unread.clear(); }  // what was on its way is lost, or has arrived
  size_t queued() const { return queue.size(); }

 private:
  std::deque<WaitingFrame> queue;
  kj::Array<kj::byte> sealing;
  std::deque<uint64_t> unread;  // the numbers of those
  uint64_t newest = 0;
  uint64_t newestSent = 0;
  uint64_t sentInAll = 0;
  uint64_t creditedUpto = 0;
  uint64_t late = 0;

  void dropLate(kj::TimePoint now, LiveCounts&);
};

class LiveReceiver final {
 public:
  // A frame has come with so much time left. Errors: BAD_FORMAT for a number that does not grow,
  // LIMIT_EXCEEDED for one frame more than may be unread.
  Result<void> received(uint64_t number, kj::Duration left, kj::ArrayPtr<const kj::byte> bytes,
      kj::TimePoint now, LiveCounts&);

  kj::Maybe<LiveFrame> take(kj::TimePoint now, LiveCounts&);

  // Nobody reads any more.
  void dropAll() { queue.clear(); }

  // What the peer is to be told; due when half of what it may send has been done with.
  struct Credit {
    uint64_t number, late;
  };
  bool creditIsDue() const { return done() >= LiveLimits::UNREAD_MAX / 2; }
  Credit credit();

  void carrierChanged() { unstated.clear(); }
  size_t queued() const { return queue.size(); }

 private:
  std::deque<WaitingFrame> queue;
  // Numbers of those that came over this carrier, and of which the peer has heard nothing.
  std::deque<uint64_t> unstated;
  uint64_t newest = 0;
  uint64_t given = 0;  // the newest that a reader was given
  uint64_t late = 0;

  uint64_t doneUpto() const { return queue.empty() ? newest : queue.front().number - 1; }
  size_t done() const;
  void countLate(LiveCounts& counts) { ++late, ++counts.late; }
};

// Both ends of one stream.
struct LiveFrames {
  LiveSender out;
  LiveReceiver in;
};

}  // namespace hearth::transport

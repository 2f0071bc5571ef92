#pragma once
// The bytes that go to the peer: kept from write() until they have arrived.
//
//   ... arrived | on their way, or lost and to be sent again | not yet sent | room ...
//             base()                                     sentTo        written

#include "core/base/holding.h"
#include "transport/datagram/offset-ring.h"
#include "transport/datagram/ranges.h"

namespace hearth::transport {

class Outgoing final {
 public:
  // Written and not yet sent. What waits here cannot be overtaken by a more urgent lane.
  static constexpr size_t UNSENT_BYTES_MAX = 128 << 10;
  // Sent and not yet arrived, as far as the peer's window lets it.
  static constexpr size_t KEPT_BYTES_MAX = 1 << 20;

  // Of these as many, UNSENT_BYTES_MAX at most.
  void boundUnsent(size_t bytes) {
    unsentMost = bytes < UNSENT_BYTES_MAX ? bytes : UNSENT_BYTES_MAX;
  }

  // Gives how many bytes there was room for.
  size_t write(kj::ArrayPtr<const kj::byte> bytes);
  void finish() { finished = true; }

  // What to send now: lost bytes first. Not beyond `limit` (an offset), not more than `most` bytes.
  // None: nothing, not even the end.
  struct Piece {
    Range range;
    bool end = false;
  };
  kj::Maybe<Piece> next(uint64_t limit, size_t most) const;
  void sent(const Piece& piece);
  void copyOut(const Piece& piece, kj::ArrayPtr<kj::byte> out) const {
    ring.copyOut(piece.range.begin, out);
  }

  void arrived(const Piece& piece);
  void lost(const Piece& piece);

  uint64_t writtenTo() const { return written; }
  uint64_t unsentBytes() const { return written - sentTo; }
  bool hasRoom() const { return roomBytes() > 0; }
  bool isFinished() const { return finished; }
  // Everything has arrived, and its end if there is one.
  bool isDelivered() const { return base == written && (!finished || endArrived); }
  void addTo(Holdings& holdings) const;

 private:
  OffsetRing ring;
  uint64_t base = 0;
  uint64_t sentTo = 0;
  uint64_t written = 0;
  size_t unsentMost = UNSENT_BYTES_MAX;
  Ranges delivered;  // above base
  Ranges again;
  bool finished = false, endSent = false, endArrived = false;

  size_t roomBytes() const;
};

}  // namespace hearth::transport

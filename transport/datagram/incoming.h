#pragma once
// The bytes that come from the peer, put in order: a piece may come late, twice or overlap another.

#include "core/base/holding.h"
#include "core/base/result.h"
#include "transport/datagram/offset-ring.h"
#include "transport/datagram/ranges.h"

namespace hearth::transport {

class Incoming final {
 public:
  // How far the peer may send beyond what has been read. Before anybody is authenticated a stranger
  // gets room for a handshake and no more (SECURITY §6.3).
  static constexpr size_t WINDOW_BYTES_EARLY = 16 << 10;
  static constexpr size_t WINDOW_BYTES = 1 << 20;
  static constexpr size_t STRETCHES_MAX = 1'024;  // with gaps between them

  // Errors: LIMIT_EXCEEDED beyond the window, BAD_FORMAT for bytes behind the end or two ends: the
  // peer is broken. false: it cannot be kept now and counts as not come.
  Result<bool> take(uint64_t offset, kj::ArrayPtr<const kj::byte> bytes, bool end);

  size_t readable() const;
  // Reads what is there, at most out.size() bytes.
  size_t read(kj::ArrayPtr<kj::byte> out);
  bool isEnded() const { return ended && readTo == endsAt; }

  void widen() { window = WINDOW_BYTES; }

  // The limit to tell the peer.
  uint64_t limit() const { return readTo + window; }
  // It is so much further than what the peer knows that it should be told.
  bool owesCredit() const { return !ended && (again || limit() - toldLimit >= window / 2); }
  void told();
  // What was told got lost.
  void untold() { again = true; }
  void addTo(Holdings& holdings) const;

 private:
  OffsetRing ring;
  Ranges there;
  uint64_t readTo = 0;
  size_t window = WINDOW_BYTES_EARLY;
  uint64_t toldLimit = WINDOW_BYTES_EARLY;
  bool again = false;
  bool ended = false;
  uint64_t endsAt = 0;
};

}  // namespace hearth::transport

#pragma once
// How much of the lowest lane may be under way where nothing more urgent can overtake it: in the record
// that is being written, and in what the kernel (or the UDP carrier) holds unsent. Both are what the path
// carries in two milliseconds, within bounds (DESIGN §5). A pure machine that is told what was measured.

#include <kj/time.h>

#include <cstddef>

namespace hearth::transport {

class BulkPace final {
 public:
  static constexpr kj::Duration SHARE = 2 * kj::MILLISECONDS;
  static constexpr size_t RECORD_BYTES_LEAST = 16 << 10;  // below, heads and calls cost too much
  // On a slow path a record is many times its two milliseconds: behind it nothing more need wait.
  static constexpr size_t UNSENT_BYTES_LEAST = 4 << 10;
  static constexpr size_t RECORD_BYTES_MAX = 64 << 10;   // more makes nothing faster
  static constexpr size_t UNSENT_BYTES_MAX = 512 << 10;  // 2 ms of 2 Gbit/s
  // While something is written.
  static constexpr kj::Duration MEASURE_EVERY = 20 * kj::MILLISECONDS;

  // Whether somebody should measure, before the next write.
  bool isDue(kj::TimePoint now) const { return now >= dueAt; }

  // `atLeast`: the path was not full, and may carry more. Below 0: nothing was measured.
  void measured(double bytesPerSecond, bool atLeast, kj::TimePoint now);

  // Of streams' bytes in one bulk record, and in the batch of them that is written at once.
  size_t recordBytes() const;

  // What may be unsent, when that is to be said anew: it has changed by a quarter, or never was said.
  kj::Maybe<size_t> unsentToSay();

 private:
  double rate = -1;  // bytes a second; below 0: not known yet
  kj::TimePoint dueAt = kj::origin<kj::TimePoint>();
  size_t said = 0;

  size_t shareWithin(size_t least, size_t most) const;
};

}  // namespace hearth::transport

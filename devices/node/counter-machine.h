#pragma once
// What a counter outside the disk says of the anchor beside the database, and when it is moved on
// (SECURITY.md §10.4, docs/adr/0062-counter-behind-the-anchor.md).
//
//   the anchor notes n + 1 ──▶ the counter goes to n + 1       a crash between: the anchor is one ahead
//
// Whatever copy of the disk is older than the counter's last step is found out. A step wears the chip, so
// changes wait for one another.

#include <kj/time.h>

#include <cstdint>

namespace hearth::devices {

enum class CounterSays : uint8_t {
  FITS,         // it stands where the anchor says
  UNUSED,       // there is none, and the anchor knows of none
  UNFINISHED,   // the anchor is one ahead, or knows that the first step was under way
  ROLLED_BACK,  // the counter is ahead: the disk is an older copy
  REMOVED,      // there is none, though the anchor knows of one
  OTHER,  // it is further behind than a crash leaves it: another chip, or one that was put back itself
};

// What the anchor notes before the first step, whose end it cannot know.
constexpr uint64_t COUNTER_BEGINS = 0;

CounterSays judgeCounter(kj::Maybe<uint64_t> noted, kj::Maybe<uint64_t> stands);

// A counter that was removed begins beyond all that its chip ever counted: one step beyond what was noted
// says that nothing happened since; more says that the disk is an older copy.
bool isBeyond(uint64_t noted, uint64_t began);

// When the next step is due.
class CounterPace final {
 public:
  // What comes together is covered by one step.
  static constexpr kj::Duration SETTLES = 5 * kj::SECONDS;
  // Between steps, at least: 52,560 a year where ops come without end, 8,760 where people write all day. Chips
  // are built for some hundred thousand.
  static constexpr kj::Duration BETWEEN_OPS = 10 * kj::MINUTES;
  static constexpr kj::Duration BETWEEN_ENTRIES = 1 * kj::HOURS;

  enum class Of : uint8_t { OPS, ENTRIES };
  void changed(Of what, kj::TimePoint now);
  // A step was tried, whatever came of it.
  void stepped(kj::TimePoint now);
  // It failed: what was to be covered is still to be.
  void failed(kj::TimePoint now) { changed(Of::OPS, now); }

  kj::Maybe<kj::TimePoint> due() const { return next; }

 private:
  kj::Maybe<kj::TimePoint> last, next;
};

}  // namespace hearth::devices

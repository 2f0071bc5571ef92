#pragma once
// What the clipboard holds, and until when: a machine without a disk or a network.
//
// An entry is gone when its time is over by this device's clock that only runs, or by its wall clock, whichever
// comes first: the one stands still while a laptop sleeps, the other may be set. What is gone does not come back,
// whoever offers it: entries of an author come in the order in which they were copied, and none that is older than
// one that has been here.

#include "storage/tables/clips.h"

#include <kj/time.h>

#include <map>

namespace hearth::devices {

class ClipShelf final {
 public:
  static constexpr size_t KEPT_MAX = 32;           // the oldest go first
  static constexpr uint64_t BYTES_MAX = 32 << 20;  // of all of them
  // Since an entry was written down the wall clock cannot have gone back, but for small corrections. Where it
  // has, nobody knows how much of a lifetime is over, and the entry is gone.
  static constexpr kj::Duration CLOCK_BACK_MAX = 60 * kj::SECONDS;

  struct Now {
    kj::TimePoint running;
    kj::Date wall;
  };

  // As the disk has it.
  void restore(std::vector<storage::ClipRow> rows, const std::vector<storage::ClipAuthor>& authors,
      const Now& now);

  // Whether an entry may come.
  bool mayCome(const storage::ClipName& name) const;
  // It is on its way to the disk: nothing older of its author may come any more. Gives the author's newest before.
  uint64_t comes(const storage::ClipName& name);
  // The disk did not take it.
  void cameNot(const storage::ClipName& name, uint64_t newestBefore);
  // The disk has it. Whether it stays: it may have been cleared away meanwhile.
  bool add(storage::ClipRow row, const Now& now);

  // All of the author's up to a stamp are gone. False: they were already.
  bool clear(const DeviceId& author, uint64_t upto);
  // By author, up to where clearing everything that is here goes.
  std::map<DeviceId, uint64_t> newestOfAll() const;
  // By author, up to where somebody has cleared.
  std::map<DeviceId, uint64_t> cleared() const;

  // Newest first; nothing that is past its time.
  std::vector<storage::ClipRow> rows(const Now& now) const;
  // Milliseconds; 0 for an entry without a lifetime. None: it is not here.
  kj::Maybe<uint64_t> leftMs(const storage::ClipName& name, const Now& now) const;

  // Takes away what is past its time, and what there is no room for.
  std::vector<storage::ClipName> takeOverdue(const Now& now);
  // Until the next one is past its time; none: nothing here has a lifetime.
  kj::Maybe<kj::Duration> untilNext(const Now& now) const;

  // The greatest place of all that have been here since the start, and the greatest stamp of the author's.
  uint64_t newestPlace() const { return lastPlace; }
  uint64_t newestOf(const DeviceId& author) const;
  size_t size() const { return held.size(); }

 private:
  struct End {
    kj::TimePoint running;
    kj::Date wall;

    kj::Duration left(const Now& now) const {
      return kj::min(running - now.running, wall - now.wall);
    }
  };
  struct Held {
    storage::ClipRow row;
    kj::Maybe<End> end;
  };
  struct Author {
    uint64_t newest = 0, cleared = 0;
  };
  std::vector<Held> held;  // newest first
  std::map<DeviceId, Author> authors;
  uint64_t lastPlace = 0;

  void put(storage::ClipRow row, kj::Duration left, const Now& now);
  static bool isOver(const Held& entry, const Now& now);
};

}  // namespace hearth::devices

#include "transport/datagram/ranges.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::transport {

uint64_t Ranges::add(Range range) {
  if (range.isEmpty()) return 0;
  // Nearly everything goes to the end.
  if (!ranges.empty() && ranges.back().end == range.begin) {
    ranges.back().end = range.end;
    return range.size();
  }
  auto first = std::ranges::lower_bound(ranges, range.begin, {}, &Range::end);
  uint64_t covered = 0;
  auto joined = range;
  auto last = first;
  for (; last != ranges.end() && last->begin <= range.end; ++last) {
    auto from = std::max(last->begin, range.begin), to = std::min(last->end, range.end);
    if (from < to) covered += to - from;
    joined = {std::min(joined.begin, last->begin), std::max(joined.end, last->end)};
  }
  if (first == last) {
    ranges.insert(first, joined);
  } else {
    *first = joined;
    ranges.erase(first + 1, last);
  }
  return range.size() - covered;
}

void Ranges::remove(Range range) {
  auto at = std::ranges::upper_bound(ranges, range.begin, {}, &Range::end);
  while (at != ranges.end() && at->begin < range.end) {
    Range before{at->begin, std::max(at->begin, range.begin)};
    Range after{std::min(at->end, range.end), at->end};
    at = ranges.erase(at);
    if (!after.isEmpty()) at = ranges.insert(at, after);
    if (!before.isEmpty()) at = ranges.insert(at, before) + 1;
  }
}

void Ranges::removeBelow(uint64_t limit) {
  if (!ranges.empty() && ranges.front().begin < limit) remove({0, limit});
}

Range Ranges::takeFirst(uint64_t most) {
  KJ_REQUIRE(!ranges.empty());
  auto& first = ranges.front();
  Range taken{first.begin, std::min(first.end, first.begin + most)};
  first.begin = taken.end;
  if (first.isEmpty()) ranges.erase(ranges.begin());
  return taken;
}

bool Ranges::contains(uint64_t number) const {
  auto at = std::ranges::upper_bound(ranges, number, {}, &Range::end);
  return at != ranges.end() && at->begin <= number;
}

}  // namespace hearth::transport

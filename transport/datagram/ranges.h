#pragma once
// A set of numbers that mostly lie side by side: the packets that have come, the bytes of a stream that
// are there, those to be sent again.

#include <kj/common.h>

#include <cstdint>
#include <vector>

namespace hearth::transport {

struct Range {
  uint64_t begin = 0, end = 0;  // end is not in it

  uint64_t size() const { return end - begin; }
  bool isEmpty() const { return begin == end; }
  bool operator==(const Range&) const = default;
};

class Ranges final {
 public:
  // How many of them were not there before.
  uint64_t add(Range range);
  void remove(Range range);
  void removeBelow(uint64_t limit);

  // The lowest of them, at most so many. Requires that it is not empty.
  Range takeFirst(uint64_t most);

  bool contains(uint64_t number) const;
  bool isEmpty() const { return ranges.empty(); }
  size_t count() const { return ranges.size(); }  // of stretches

  // Ascending, with gaps between them.
  const std::vector<Range>& all() const { return ranges; }

 private:
  std::vector<Range> ranges;
};

}  // namespace hearth::transport

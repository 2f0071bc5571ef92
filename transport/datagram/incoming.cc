#include "transport/datagram/incoming.h"

#include <algorithm>

namespace hearth::transport {

Result<bool> Incoming::take(uint64_t offset, kj::ArrayPtr<const kj::byte> bytes, bool end) {
  Range range{offset, offset + bytes.size()};
  if (range.end > limit()) return no(Errc::LIMIT_EXCEEDED, "bytes beyond the window");
  if (ended && (range.end > endsAt || (end && range.end != endsAt)))
    return no(Errc::BAD_FORMAT, "bytes behind the end");
  if (end) {
    if (!there.isEmpty() && there.all().back().end > range.end)
      return no(Errc::BAD_FORMAT, "an end before what has come");
    ended = true;
    endsAt = range.end;
  }
  if (range.begin < readTo) {
    if (range.end <= readTo) return true;
    bytes = bytes.slice(readTo - range.begin, bytes.size());
    range.begin = readTo;
  }
  bool fillsNone = !there.isEmpty() && range.begin > there.all().back().end;
  if (fillsNone && there.count() >= STRETCHES_MAX) return false;
  ring.put(range.begin, bytes);
  there.add(range);
  return true;
}

size_t Incoming::readable() const {
  if (there.isEmpty() || there.all().front().begin != readTo) return 0;
  return there.all().front().size();
}

size_t Incoming::read(kj::ArrayPtr<kj::byte> out) {
  auto size = std::min(out.size(), readable());
  ring.copyOut(readTo, out.slice(0, size));
  readTo += size;
  there.removeBelow(readTo);
  ring.dropBelow(readTo);
  return size;
}

void Incoming::told() {
  toldLimit = limit();
  again = false;
}

void Incoming::addTo(Holdings& holdings) const {
  auto held = there.isEmpty() ? readTo : there.all().back().end;
  holdings.push_back(
      {"bytes come by UDP and not read", static_cast<size_t>(held - readTo), WINDOW_BYTES});
}

}  // namespace hearth::transport

#include "transport/datagram/outgoing.h"

#include <algorithm>

namespace hearth::transport {

size_t Outgoing::roomBytes() const {
  auto unsent = unsentMost - std::min<uint64_t>(unsentMost, written - sentTo);
  auto kept = KEPT_BYTES_MAX + UNSENT_BYTES_MAX - (written - base);
  return finished ? 0 : std::min<uint64_t>(unsent, kept);
}

size_t Outgoing::write(kj::ArrayPtr<const kj::byte> bytes) {
  auto taken = bytes.slice(0, std::min(bytes.size(), roomBytes()));
  ring.put(written, taken);
  written += taken.size();
  return taken.size();
}

kj::Maybe<Outgoing::Piece> Outgoing::next(uint64_t limit, size_t most) const {
  if (!again.isEmpty()) {
    auto first = again.all().front();
    Range range{first.begin, std::min(first.end, first.begin + most)};
    return Piece{range, finished && !endArrived && range.end == written};
  }
  Range range{sentTo, std::min({written, std::max(limit, sentTo), sentTo + most})};
  bool end = finished && !endSent && range.end == written;
  if (range.isEmpty() && !end) return nullptr;
  return Piece{range, end};
}

void Outgoing::sent(const Piece& piece) {
  if (piece.range.begin == sentTo) {
    sentTo = piece.range.end;
  } else {
    again.remove(piece.range);
  }
  if (piece.end) endSent = true;
}

void Outgoing::arrived(const Piece& piece) {
  if (piece.end) endArrived = true;
  if (piece.range.isEmpty() || piece.range.end <= base)
    return;  // the end alone may overtake all bytes
  delivered.add({std::max(piece.range.begin, base), piece.range.end});
  again.remove(piece.range);
  auto& first = delivered.all().front();
  if (first.begin != base) return;
  base = first.end;
  delivered.removeBelow(base);
  ring.dropBelow(base);
}

// A piece that was sent twice may have arrived the other time.
void Outgoing::lost(const Piece& piece) {
  if (piece.end && !endArrived) endSent = false;
  Range missing{std::max(piece.range.begin, base), std::max(piece.range.end, base)};
  again.add(missing);
  for (auto& there: delivered.all()) again.remove(there);
}

void Outgoing::addTo(Holdings& holdings) const {
  holdings.push_back({"bytes on their way by UDP", static_cast<size_t>(written - base),
      KEPT_BYTES_MAX + UNSENT_BYTES_MAX});
}

}  // namespace hearth::transport

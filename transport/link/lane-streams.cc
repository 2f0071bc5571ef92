#include "transport/link/lane-streams.h"

#include <cstring>

namespace hearth::transport {

void LaneOutFrame::copyTo(kj::byte* out) const {
  for (auto piece: {head(), bytes.first, bytes.second}) {
    if (piece.size() > 0) memcpy(out, piece.begin(), piece.size());
    out += piece.size();
  }
}

}  // namespace hearth::transport

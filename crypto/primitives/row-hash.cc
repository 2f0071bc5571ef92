#include "crypto/primitives/row-hash.h"

#include "crypto/primitives/hash.h"

#include <kj/debug.h>

namespace hearth::crypto {

Digest rowHash(kj::StringPtr table, uint64_t index, const Digest& previous, Bytes row) {
  KJ_REQUIRE(table.size() <= 0xff, table.size());
  return hash("hearth/row/v1",
      {Little(static_cast<uint8_t>(table.size())).asBytes(), table.asBytes(),
          Little(index).asBytes(), previous.asBytes(), row});
}

}  // namespace hearth::crypto

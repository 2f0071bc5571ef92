#include "crypto/handshake/ephemeral-guard.h"

#include <kj/debug.h>

namespace hearth::crypto {

void EphemeralGuard::admit(const DhPublic& ephemeral) {
  if (!known.insert(ephemeral).second) {
    stop();
    KJ_FAIL_REQUIRE("the random source repeats itself: an ephemeral key came twice");
  }
  order.push_back(ephemeral);
  if (order.size() > REMEMBERED) {
    known.erase(order.front());
    order.pop_front();
  }
}

}  // namespace hearth::crypto

#pragma once
// Remembers the last ephemeral public keys that this process has made. One that comes twice means
// a broken random source or a cloned machine: then every key of ours may be known to others, and
// the daemon must stop.

#include "crypto/primitives/exchange.h"

#include <kj/function.h>

#include <deque>
#include <set>

namespace hearth::crypto {

class EphemeralGuard final {
 public:
  static constexpr size_t REMEMBERED = 1024;

  // `stop` ends the process with a message; where it returns, admit throws.
  explicit EphemeralGuard(kj::Function<void()> stop): stop(kj::mv(stop)) {}
  KJ_DISALLOW_COPY_AND_MOVE(EphemeralGuard);

  void admit(const DhPublic& ephemeral);

 private:
  kj::Function<void()> stop;
  std::set<DhPublic> known;
  std::deque<DhPublic> order;  // oldest first
};

}  // namespace hearth::crypto

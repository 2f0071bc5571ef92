#pragma once
// Several ways to one peer, tried side by side (RFC 8305, "Happy Eyeballs"): the next one begins when
// the one before has failed, or has not answered for a while. The first that connects wins, and the
// others are cancelled.

#include <kj/async-io.h>
#include <kj/function.h>
#include <kj/timer.h>

#include <vector>

namespace hearth::transport {

// RFC 8305 §5, Connection Attempt Delay: what it recommends.
constexpr kj::Duration NEXT_ATTEMPT_AFTER = 250 * kj::MILLISECONDS;

struct Attempt {
  // Throws when the way is none. Dropping the promise ends the attempt.
  kj::Function<kj::Promise<kj::Own<kj::AsyncIoStream>>()> connect;
  // How long the attempt before this one has the field for itself.
  kj::Duration after = NEXT_ATTEMPT_AFTER;
};

struct Winner {
  size_t attempt;
  kj::Own<kj::AsyncIoStream> stream;
};

// Each attempt has `within` to connect, and is DISCONNECTED then. Throws what the last attempt threw when all have failed.
// Requires at least one attempt. `timer` outlives the promise.
kj::Promise<Winner> race(kj::Timer& timer, std::vector<Attempt> attempts, kj::Duration within);

}  // namespace hearth::transport

#pragma once
// The first words between a device and a blind relay (docs/PROTOCOL.md, "Blind relay"). After them the
// relay hands on bytes that it cannot read.
//
//   waiting device            relay                 caller
//     | "HRLY" 1 WAIT name -->  |                       |
//     | (WAITING, now and then) |                       |
//     |                         |  <-- "HRLY" 1 CALL name |
//     | <-------------- JOINED  |                       |
//     | READY --------------->  |  JOINED ------------> |
//     | <=============== bytes of both, unread =======> |

#include "core/base/ids.h"
#include "core/base/result.h"

namespace hearth::transport {

using RelayName = Id<struct RelayNameTag, 16>;  // of a device at a relay, for a while

struct RelayHello {
  enum class Wish : uint8_t { WAIT = 1, CALL = 2 };
  static constexpr size_t BYTES = 24;

  Wish wish;
  RelayName name;

  kj::Array<kj::byte> write() const;

  // Errors: BAD_FORMAT, BAD_VERSION, BAD_LENGTH.
  static Result<RelayHello> read(kj::ArrayPtr<const kj::byte> bytes);
};

// What the relay answers.
enum class RelayAnswer : uint8_t { JOINED = 1, NOBODY = 2, BUSY = 3 };

// What a waiting device says.
enum class RelayWaiter : uint8_t { WAITING = 0, READY = 1 };

}  // namespace hearth::transport

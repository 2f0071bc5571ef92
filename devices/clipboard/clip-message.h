#pragma once
// What two devices say to each other of the clipboard (docs/PROTOCOL.md, "Clipboard"). Each is
// `u32 length | u8 kind | body` on a stream.
//
//   0 STATE  list16<b[32] author | u64 upto> cleared | list16<b[32] author | u64 stamp> held
//   1 WANT   b[32] author | u64 stamp
//   2 ITEM   u64 left_ms | envelope
//
// Nobody says when an entry ends, but how long that is: clocks may be off by years.

#include "devices/clipboard/clip.h"

#include <kj/async-io.h>

#include <variant>

namespace hearth::devices::clip {

constexpr size_t AUTHORS_MAX = 1'024, HELD_MAX = 64;

struct State {  // all that the sender has, again whenever that is something else
  struct Cleared {
    DeviceId author;
    uint64_t upto = 0;
    bool operator==(const Cleared&) const = default;
  };
  std::vector<Cleared> cleared;         // to be forgotten by everybody
  std::vector<storage::ClipName> held;  // oldest first
  bool operator==(const State&) const = default;
};
struct Want {
  storage::ClipName name;
  bool operator==(const Want&) const = default;
};
struct Item {
  uint64_t leftMs = 0;  // of its lifetime; 0: it has none
  crypto::Buffer envelope;
  bool operator==(const Item& other) const {
    return leftMs == other.leftMs && envelope == other.envelope;
  }
};
using Message = std::variant<State, Want, Item>;

constexpr size_t MESSAGE_BYTES_MAX = 1 + 8 + Clip::ENVELOPE_BYTES_MAX;

// With its length in front. Requires that it keeps the limits.
crypto::Buffer encode(const Message& message);
// The bytes behind the length. Errors: BAD_FORMAT.
Result<Message> decode(crypto::Bytes bytes);

// The next message; none at the end of the stream. Throws DISCONNECTED when the stream ends within one.
// Errors: BAD_FORMAT.
kj::Promise<Result<kj::Maybe<Message>>> read(kj::AsyncInputStream& stream);

}  // namespace hearth::devices::clip

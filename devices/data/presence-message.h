#pragma once
// What two devices say to each other of who is at a document (docs/PROTOCOL.md, "Presence"): nothing of it is kept.
// Each is `u16 length | u8 kind | body` on a stream.
//
//   0 HERE  u32 place | var8 document | var16 value    somebody is there, or says something else of themselves
//   1 GONE  u32 place                                  and is not any more
//   2 SAID  var8 document | var16 value                to whoever is there now

#include "core/base/result.h"
#include "crypto/primitives/bytes.h"

#include <kj/async-io.h>

#include <string>
#include <variant>

namespace hearth::devices::presence {

constexpr size_t DOCUMENT_BYTES_MAX = 255;  // a name, UTF-8, of one byte or more
constexpr size_t VALUE_BYTES_MAX = 4'096;   // UTF-8; apps put JSON in it

struct Here {
  uint32_t place = 0;  // one app at one document, by a number of its device's choice
  std::string document, value;
  bool operator==(const Here&) const = default;
};
struct Gone {
  uint32_t place = 0;
  bool operator==(const Gone&) const = default;
};
struct Said {
  std::string document, value;
  bool operator==(const Said&) const = default;
};
using Message = std::variant<Here, Gone, Said>;

constexpr size_t MESSAGE_BYTES_MAX = 1 + 4 + 1 + DOCUMENT_BYTES_MAX + 2 + VALUE_BYTES_MAX;

// With its length in front. Requires that it keeps the limits.
crypto::Buffer encode(const Message& message);
// The bytes behind the length. Errors: BAD_FORMAT.
Result<Message> decode(crypto::Bytes bytes);

// The next message; none at the end of the stream. Throws DISCONNECTED when the stream ends within one.
// Errors: BAD_FORMAT.
kj::Promise<Result<kj::Maybe<Message>>> read(kj::AsyncInputStream& stream);

}  // namespace hearth::devices::presence

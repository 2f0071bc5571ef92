#pragma once
// One entry of the clipboard: what somebody has copied on one device, for all of them, and for how long.
//
//   envelope  of type hearth/clip/v1, signed by its author
//   body      u8 1 | b[32] author | u64 stamp | u64 lifetime_ms | u8 flags | var8 mime | bytes
//
// lifetime_ms: 0 for none; flags: 1 for a secret. Who carries it to somebody else cannot change it, nor make it live
// for longer than its author has said.

#include "crypto/primitives/signature.h"
#include "storage/tables/clips.h"

#include <kj/time.h>

namespace hearth::devices {

struct Clip {
  static constexpr size_t BYTES_MAX = 4 << 20;  // more belongs into a blob
  static constexpr size_t MIME_BYTES_MAX = 127;
  static constexpr kj::Duration LIFETIME_MIN = 1 * kj::SECONDS, LIFETIME_MAX = 30 * kj::DAYS;
  static constexpr size_t ENVELOPE_BYTES_MAX = BYTES_MAX + 512;

  storage::ClipName name;
  uint64_t lifetimeMs = 0;  // 0: it has none
  bool isSecret = false;    // is shown to nobody who does not ask for it
  std::string mime;         // "text/plain"
  crypto::Buffer bytes;

  // Requires that it keeps the limits, and that the secret is its author's.
  crypto::Buffer sign(const crypto::SignSecret& secret) const;

  // Its form alone. Errors: BAD_FORMAT, BAD_VERSION.
  static Result<Clip> read(crypto::Bytes envelope);

  // Errors: BAD_SIGNATURE. `envelope`: one that has been read.
  static Result<void> verify(crypto::Bytes envelope, const crypto::SignPublic& author);

  // The first characters of a text in one line; none of a secret, nor of what is no text.
  std::string preview() const;
};

// As people and programs name what can be in there: "type/subtype", perhaps with parameters; printable ASCII.
bool isMimeType(kj::StringPtr text);

}  // namespace hearth::devices

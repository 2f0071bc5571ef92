#pragma once
// What two devices say to each other to keep their operation logs in step (docs/PROTOCOL.md, "Keeping in step").
// Each is `u32 length | u8 kind | body` on a stream.

#include "crypto/identity/circle-keys.h"
#include "storage/log/entry.h"
#include "storage/sync/reconciler.h"

#include <kj/async-io.h>

#include <variant>
#include <vector>

namespace hearth::devices {

using SyncNonce = Id<struct SyncNonceTag, 32>;

namespace sync {

struct Hello {  // first, by both
  static constexpr size_t COLLECTIONS_MAX = 4'096;
  SyncNonce nonce;
  std::vector<crypto::CollectionId> collections;
  bool operator==(const Hello&) const = default;
};
struct Compare {  // a step of reconciliation
  crypto::CollectionId collection;
  crypto::Buffer message;
};
struct Compared {  // the collection is compared: what the other side lacks follows
  crypto::CollectionId collection;
};
struct Deliver {
  crypto::Buffer envelope;
};
struct Name {
  crypto::CollectionId collection;
  storage::ItemName item;
};
struct Have {  // an entry of somebody else has come here
  Name name;
  DeviceId author;
};
struct Want {
  Name name;
};

using Message = std::variant<Hello, Compare, Compared, Deliver, Have, Want>;

constexpr size_t MESSAGE_BYTES_MAX = storage::Entry::BYTES_MAX + 64;

// With its length in front.
crypto::Buffer encode(const Message& message);
// The bytes behind the length. Errors: BAD_FORMAT.
Result<Message> decode(crypto::Bytes bytes);

// The next message; none at the end of the stream. Throws DISCONNECTED when the stream ends within one.
// Errors: BAD_FORMAT.
kj::Promise<Result<kj::Maybe<Message>>> read(kj::AsyncInputStream& stream);

// The salt of one stream: nobody could know it before.
storage::ReconcileSalt saltOf(const SyncNonce& opener, const SyncNonce& other);

}  // namespace sync
}  // namespace hearth::devices

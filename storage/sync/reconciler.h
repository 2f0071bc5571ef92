#pragma once
// Two devices find what each of them lacks of a set of operations, at a cost that follows the difference and
// not the size: ranges are compared by fingerprints, and those that differ are cut into smaller ones until
// they can be listed (range-based set reconciliation: Meyer, 2022; Negentropy). A pure machine: a message in,
// a message out, until one side has nothing to ask any more.
//
//   message   ranges one behind the other, the first from the beginning, the last to the end or up to where
//             the other side needs to look no further
//   range     u8 mode | bound | what the mode says           bound: the first name that is beyond it
//
//   SKIP          nothing to do here
//   FINGERPRINT   b[8]: of what the sender has here
//   HOLDS         number | b[6] each: what it has here, all of it
//   WANTS         number | b[6] each: what it lacks and the receiver shall send
//
// Both know a salt that nobody could know before: fingerprints and short names are made with it, so that a
// collision cannot be prepared, and one that comes by chance is gone the next time.

#include "core/base/result.h"
#include "crypto/primitives/bytes.h"
#include "storage/crdt/varint.h"
#include "storage/sync/item-set.h"

namespace hearth::storage {

using ReconcileSalt = Id<struct ReconcileSaltTag, 32>;

class Reconciler final {
 public:
  static constexpr size_t MESSAGE_BYTES_MAX = 64 << 10;
  static constexpr uint32_t ROUNDS_MAX = 256;  // messages that one side answers
  static constexpr size_t LIST_MAX = 16;       // names in a range that is listed and not cut
  static constexpr size_t LISTED_MAX = 4'096;  // own ones that are compared with a list
  static constexpr size_t PARTS = 4;           // that a range is cut into
  static constexpr size_t FIRST_PARTS = 16;

  // The set outlives this object and does not change meanwhile.
  Reconciler(const ItemSet& set, const ReconcileSalt& salt): set(set), salt(salt) {}

  // The first message, of the one who begins.
  kj::Array<kj::byte> begin();

  struct Step {
    kj::Array<kj::byte> reply;   // empty: there is nothing to say any more
    std::vector<ItemName> send;  // what the peer lacks, ascending
  };

  // Errors: BAD_FORMAT; LIMIT_EXCEEDED for a peer that goes on for ever.
  Result<Step> received(kj::ArrayPtr<const kj::byte> message);

 private:
  enum class Mode : uint8_t { SKIP, FINGERPRINT, HOLDS, WANTS };
  static constexpr size_t FINGERPRINT_BYTES = 8, SHORT_BYTES = 6;
  // What a range may still take when the message is as good as full.
  static constexpr size_t RESERVE_BYTES = 2 * 64 + PARTS * 64 + LIST_MAX * SHORT_BYTES;

  using Short = std::array<kj::byte, SHORT_BYTES>;
  struct Range;  // one of the peer's message
  class Out;

  const ItemSet& set;
  ReconcileSalt salt;
  uint32_t rounds = 0;

  std::array<kj::byte, FINGERPRINT_BYTES> fingerprint(size_t begin, size_t end) const;
  Short shortOf(const ItemName& name) const;
  ItemName boundAt(size_t rank) const;
  void cut(Out& out, size_t begin, size_t end, const ItemName& bound, size_t parts) const;
  void list(Out& out, size_t begin, size_t end, const ItemName& bound) const;
  void compare(Out& out, const Range& range, size_t begin, size_t end, Step& step) const;
  void wanted(const Range& range, size_t begin, size_t end, Step& step) const;
  Result<Range> readRange(VarReader& in, const ItemName& from) const;
};

}  // namespace hearth::storage

#pragma once
// Fixed-size identifiers. Each kind is a type of its own, so that an epoch cannot be passed where
// a device is meant; all are plain bytes that compare, order as byte strings and hash.

#include "core/base/result.h"

#include <kj/array.h>
#include <kj/encoding.h>
#include <kj/hash.h>
#include <kj/string.h>

#include <compare>
#include <cstring>

namespace hearth {

template <typename Tag, size_t N>
struct Id {
  static constexpr size_t SIZE = N;
  kj::byte bytes[N] = {};

  // Errors: BAD_LENGTH unless exactly SIZE bytes are given.
  static Result<Id> from(kj::ArrayPtr<const kj::byte> source) {
    if (source.size() != N) return no(Errc::BAD_LENGTH, "an identifier of another length");
    Id id;
    memcpy(id.bytes, source.begin(), N);
    return id;
  }

  kj::ArrayPtr<const kj::byte> asBytes() const { return kj::arrayPtr(bytes, N); }
  bool isZero() const { return *this == Id(); }

  std::strong_ordering operator<=>(const Id& other) const {
    return memcmp(bytes, other.bytes, N) <=> 0;
  }
  bool operator==(const Id& other) const { return memcmp(bytes, other.bytes, N) == 0; }
  kj::uint hashCode() const { return kj::hashCode(asBytes()); }

  // The first four bytes in hex, for traces and tests: full ids do not belong there.
  friend kj::String KJ_STRINGIFY(const Id& id) {
    return kj::encodeHex(id.asBytes().slice(0, kj::min(N, size_t{4})));
  }
};

using DeviceId = Id<struct DeviceTag, 32>;  // also names a recovery key where an author is meant
using CircleId = Id<struct CircleTag, 32>;
using OpHash = Id<struct OpTag, 32>;
using EpochId = OpHash;  // the hash of the Epoch op
using Digest = Id<struct DigestTag, 32>;
using JobId = Id<struct JobTag, 16>;

}  // namespace hearth

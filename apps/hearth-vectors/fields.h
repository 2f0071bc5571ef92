#pragma once
// Fields of vector files: hex strings as bytes and as typed values. A file that is not as described
// is an exception, not a failed vector.

#include "core/base/result.h"
#include "crypto/primitives/bytes.h"

#include <nlohmann/json.hpp>

namespace hearth::vectors {

using Json = nlohmann::json;
using crypto::Buffer;
using crypto::Bytes;

kj::String text(const Json& value);
Buffer bytes(const Json& value);
Json hex(Bytes value);

// An id or a key of the size that its type demands.
template <typename T>
T typed(const Json& value) {
  auto result = T::from(bytes(value));
  if (!result) throw std::invalid_argument("a field of another length");
  return kj::mv(*result);
}

}  // namespace hearth::vectors

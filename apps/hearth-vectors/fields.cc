#include "apps/hearth-vectors/fields.h"

#include <kj/encoding.h>

namespace hearth::vectors {

kj::String text(const Json& value) {
  auto& string = value.get_ref<const std::string&>();
  return kj::heapString(string.data(), string.size());
}

Buffer bytes(const Json& value) {
  auto decoded = kj::decodeHex(text(value));
  if (decoded.hadErrors) throw std::invalid_argument("a field that is not hex");
  return kj::mv(decoded);
}

Json hex(Bytes value) { return kj::encodeHex(value).cStr(); }

}  // namespace hearth::vectors

#include "bindings/local/message.h"

namespace hearth::local {

kj::StringPtr messageOf(const kj::Exception& exception) {
  constexpr kj::StringPtr PREFIX = "remote exception: "_kj;
  auto text = exception.getDescription();
  return text.startsWith(PREFIX) ? text.slice(PREFIX.size()) : text;
}

}  // namespace hearth::local

#include "transport/relay/hello.h"

#include "core/base/flat.h"

namespace hearth::transport {

namespace {

constexpr kj::StringPtr MAGIC = "HRLY"_kj;
constexpr uint8_t VERSION = 1;

}  // namespace

kj::Array<kj::byte> RelayHello::write() const {
  FlatWriter out;
  out.bytes(MAGIC.asBytes()).u8(VERSION).u8(static_cast<uint8_t>(wish)).u16(0);
  return out.bytes(name.asBytes()).finish();
}

Result<RelayHello> RelayHello::read(kj::ArrayPtr<const kj::byte> bytes) {
  if (bytes.size() != BYTES) return no(Errc::BAD_LENGTH, "not a hello's length");
  FlatReader in(bytes);
  if (in.bytes(MAGIC.size()) != MAGIC.asBytes()) return no(Errc::BAD_FORMAT, "not for a relay");
  if (in.u8() != VERSION) return no(Errc::BAD_VERSION, "another version of the relay's protocol");
  auto wish = in.u8();
  bool known = wish == static_cast<uint8_t>(Wish::WAIT) || wish == static_cast<uint8_t>(Wish::CALL);
  if (!known || in.u16() != 0) return no(Errc::BAD_FORMAT, "a wish that no device has");
  return RelayHello{static_cast<Wish>(wish), in.id<RelayName>()};
}

}  // namespace hearth::transport

#include "devices/node/freshness.h"

#include "core/base/flat.h"

namespace hearth::devices {

namespace {
constexpr uint8_t VERSION = 1;
}

crypto::Buffer Freshness::encode() const {
  FlatWriter out;
  out.u8(VERSION).u8(forgot).u64(heartbeat).u64(silenceS);
  out.u16(static_cast<uint16_t>(quarantined.size()));
  for (auto& device: quarantined) out.bytes(device.asBytes());
  return out.finish();
}

Result<Freshness> Freshness::decode(crypto::Bytes bytes) {
  FlatReader in(bytes);
  if (in.u8() != VERSION) in.refuse();
  Freshness fresh{.forgot = in.u8() != 0, .heartbeat = in.u64(), .silenceS = in.u64()};
  auto count = in.count16(QUARANTINED_MAX, DeviceId::SIZE);
  for (size_t i = 0; i < count; ++i) fresh.quarantined.insert(in.id<DeviceId>());
  if (auto whole = in.finish(); !whole) return no(whole.error());
  return fresh;
}

}  // namespace hearth::devices

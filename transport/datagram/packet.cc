#include "transport/datagram/packet.h"

#include "core/base/flat.h"
#include "crypto/primitives/aead.h"

#include <kj/debug.h>

namespace hearth::transport {

namespace {

using crypto::ChaChaPoly;

crypto::Bytes underTag(crypto::Bytes datagram) {
  return datagram.slice(0, datagram.size() - TAG_BYTES);
}

kj::byte* put(kj::byte* out, crypto::Bytes bytes) {
  memcpy(out, bytes.begin(), bytes.size());
  return out + bytes.size();
}

}  // namespace

Result<Packet> readPacket(crypto::Bytes datagram) {
  FlatReader in(datagram);
  Packet packet{.kind = static_cast<PacketKind>(in.u8())};
  if (packet.kind != PacketKind::OPENING && packet.kind != PacketKind::EARLY &&
      packet.kind != PacketKind::SEALED)
    return no(Errc::BAD_FORMAT, "not a packet of a conversation");
  packet.to = in.id<ConnectionId>();
  if (packet.kind == PacketKind::OPENING) packet.from = in.id<ConnectionId>();
  packet.number = in.u64();
  if (!in.good() || in.remaining().size() < TAG_BYTES)
    return no(Errc::BAD_FORMAT, "shorter than header and tag");
  packet.frames = underTag(in.remaining());
  return packet;
}

// An AEAD that seals nothing: its tag over the associated data is the cheapest MAC at hand.
bool tagHolds(const PacketKey& key, uint64_t number, crypto::Bytes datagram) {
  auto nonce = crypto::counterNonce<ChaChaPoly::Nonce>(number);
  auto tag = datagram.slice(datagram.size() - TAG_BYTES, datagram.size());
  return ChaChaPoly::open(key.reveal(), nonce, underTag(datagram), tag, nullptr).has_value();
}

void writeTag(const PacketKey& key, uint64_t number, kj::ArrayPtr<kj::byte> datagram) {
  auto nonce = crypto::counterNonce<ChaChaPoly::Nonce>(number);
  auto tag = datagram.slice(datagram.size() - TAG_BYTES, datagram.size());
  ChaChaPoly::seal(key.reveal(), nonce, underTag(datagram), nullptr, tag);
}

size_t writeHeader(const Packet& packet, kj::ArrayPtr<kj::byte> out) {
  KJ_IREQUIRE(out.size() >= OPENING_HEADER_BYTES);
  auto at = out.begin();
  *at++ = static_cast<kj::byte>(packet.kind);
  at = put(at, packet.to.asBytes());
  if (packet.kind == PacketKind::OPENING) at = put(at, packet.from.asBytes());
  at = put(at, crypto::Little(packet.number).asBytes());
  return static_cast<size_t>(at - out.begin());
}

}  // namespace hearth::transport

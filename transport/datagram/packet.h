#pragma once
// The datagrams of the UDP carrier (docs/PROTOCOL.md, "UDP carrier"). Integers are little-endian.
//
//   CALL     u8 0x48 | u8 1 | u16 0 | b[8] caller | b[16] mac1 | zeros to 1,200 bytes
//   COOKIE   u8 0x49 | u8 1 | u16 0 | b[8] caller | b[24] nonce | b[50] sealed cookie, address
//   OPENING  u8 0x4a | b[8] called | b[8] caller | u64 number | frames | b[16] tag     caller to called
//   EARLY    u8 0x4b | b[8] caller | u64 number | frames | b[16] tag                   called to caller
//   SEALED   u8 0x4c | b[8] receiver | u64 number | frames | b[16] tag                 either way
//
// The last three are packets of a conversation. `tag` authenticates all that is before it.

#include "core/base/ids.h"
#include "crypto/primitives/secret.h"

namespace hearth::transport {

enum class PacketKind : uint8_t {
  CALL = 0x48,
  COOKIE = 0x49,
  OPENING = 0x4a,
  EARLY = 0x4b,
  SEALED = 0x4c,
};

// What every path carries without cutting: IPv6 promises 1,280 bytes, its header and UDP's take 48.
constexpr size_t DATAGRAM_BYTES = 1'200;
constexpr size_t TAG_BYTES = 16;
constexpr size_t OPENING_HEADER_BYTES = 1 + 8 + 8 + 8;
constexpr size_t HEADER_BYTES = 1 + 8 + 8;  // of EARLY and SEALED

// Chosen by the side that receives under it.
using ConnectionId = Id<struct ConnectionTag, 8>;

using PacketKey = crypto::Key<struct PacketKeyTag, 32>;
struct PacketKeys {
  PacketKey sending, receiving;
};

struct Packet {
  PacketKind kind;
  ConnectionId to;
  ConnectionId from;  // zero but in OPENING
  uint64_t number;    // never twice under one key
  crypto::Bytes frames;
};

// A packet of a conversation; its tag is not yet checked.
// Errors: BAD_FORMAT for what is none.
Result<Packet> readPacket(crypto::Bytes datagram);

bool tagHolds(const PacketKey& key, uint64_t number, crypto::Bytes datagram);

// Writes the header of a packet; its frames begin behind it. Gives the header's length.
size_t writeHeader(const Packet& packet, kj::ArrayPtr<kj::byte> out);

// Over all but the last TAG_BYTES, into these.
void writeTag(const PacketKey& key, uint64_t number, kj::ArrayPtr<kj::byte> datagram);

}  // namespace hearth::transport

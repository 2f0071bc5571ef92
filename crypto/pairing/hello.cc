#include "crypto/pairing/hello.h"

#include "core/base/flat.h"
#include "crypto/primitives/hash.h"

namespace hearth::crypto {

namespace {
constexpr uint8_t VERSION = 1;
constexpr uint8_t SUITE = 1;
}  // namespace

Buffer PairHello::body() const {
  FlatWriter writer;
  writer.u8(VERSION).u8(SUITE).u8(static_cast<uint8_t>(method)).u8(0).bytes(nonce.asBytes());
  return writer.finish();
}

Result<PairHello> PairHello::parse(Bytes body) {
  FlatReader reader(body);
  auto version = reader.u8(), suite = reader.u8(), method = reader.u8(), reserved = reader.u8();
  if (reader.good() && (version != VERSION || suite != SUITE)) {
    return no(Errc::BAD_VERSION, "a pairing of another version or suite");
  }
  PairHello hello{static_cast<PairMethod>(method), reader.id<PairNonce>()};
  if (method < 1 || method > 4 || reserved != 0) reader.refuse();
  if (auto end = reader.finish(); !end) return no(end.error());
  return hello;
}

Digest helloHash(Bytes helloBody, Bytes replyBody) {
  return hash("hearth/pair-hello/v1", {helloBody, replyBody});
}

Buffer pairPrologue(PairMethod method, const Digest& helloHash) {
  FlatWriter writer;
  writer.bytes("hearth/pair/1"_kj.asBytes()).u8(SUITE).u8(static_cast<uint8_t>(method));
  writer.bytes(helloHash.asBytes());
  return writer.finish();
}

}  // namespace hearth::crypto

#include "crypto/handshake/messages.h"

#include "core/base/flat.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::crypto {

namespace {
constexpr size_t HEAD_BYTES = 5;
}

Buffer writeMessage(uint8_t kind, Bytes body) {
  KJ_REQUIRE(body.size() <= MESSAGE_BODY_BYTES_MAX, body.size());
  FlatWriter writer;
  writer.u32(static_cast<uint32_t>(body.size())).u8(kind).bytes(body);
  return writer.finish();
}

Result<kj::Vector<Message>> MessageReader::feed(Bytes bytes) {
  kj::Vector<Message> whole;
  for (;;) {
    // First the head, then as many bytes as it says; never more than one message is held.
    size_t wanted = HEAD_BYTES;
    if (pending.size() >= HEAD_BYTES) {
      auto length = FlatReader(pending).u32();
      if (length > MESSAGE_BODY_BYTES_MAX) {
        return no(Errc::BAD_LENGTH, "a message over the limit");
      }
      wanted += length;
    }
    if (pending.size() >= HEAD_BYTES && pending.size() == wanted) {
      whole.add(Message{
          pending[4], kj::heapArray<kj::byte>(pending.asPtr().slice(HEAD_BYTES, pending.size()))});
      pending.clear();
      continue;
    }
    if (bytes.size() == 0) return kj::mv(whole);
    auto taken = std::min(wanted - pending.size(), bytes.size());
    pending.addAll(bytes.slice(0, taken));
    bytes = bytes.slice(taken, bytes.size());
  }
}

}  // namespace hearth::crypto

#include "crypto/handshake/data.h"

#include "core/base/flat.h"

#include <kj/debug.h>

#include <algorithm>
#include <cstring>

namespace hearth::crypto {

namespace {
constexpr size_t INDEX_BYTES = 4;
constexpr size_t HEAD_BYTES = 3;  // frame and body_len
static_assert(INDEX_BYTES + DATA_PLAIN_BYTES_MAX + NoiseCipher::TAG_BYTES == DATA_BYTES_MAX);
}  // namespace

size_t paddedSize(size_t size, Padding padding) {
  KJ_REQUIRE(size <= DATA_PLAIN_BYTES_MAX, size);
  if (padding == Padding::INTERACTIVE) {
    return std::min((size + 15) / 16 * 16, DATA_PLAIN_BYTES_MAX);
  }
  for (size_t step: {1024, 4096, 16384}) {
    if (size <= step) return step;
  }
  return DATA_PLAIN_BYTES_MAX;
}

namespace {
// Writes the padded plaintext into `out`, which has its size.
void putPlain(uint8_t frame, Bytes body, kj::ArrayPtr<kj::byte> out) {
  out[0] = frame;
  out[1] = static_cast<kj::byte>(body.size());
  out[2] = static_cast<kj::byte>(body.size() >> 8);
  if (body.size() > 0) memcpy(out.begin() + HEAD_BYTES, body.begin(), body.size());
  memset(out.begin() + HEAD_BYTES + body.size(), 0, out.size() - HEAD_BYTES - body.size());
}
}  // namespace

Buffer dataPlain(uint8_t frame, Bytes body, Padding padding) {
  KJ_REQUIRE(body.size() <= DATA_FRAME_BYTES_MAX, body.size());
  auto plain = kj::heapArray<kj::byte>(paddedSize(HEAD_BYTES + body.size(), padding));
  putPlain(frame, body, plain);
  return plain;
}

Result<Buffer> sealData(
    SendingKey& key, uint32_t receiverIndex, uint8_t frame, Bytes body, Padding padding) {
  KJ_REQUIRE(body.size() <= DATA_FRAME_BYTES_MAX, body.size());
  auto plainBytes = paddedSize(HEAD_BYTES + body.size(), padding);
  auto bodyBytes = INDEX_BYTES + plainBytes + NoiseCipher::TAG_BYTES;
  auto record = kj::heapArray<kj::byte>(RECORD_HEADER_BYTES + bodyBytes);

  record[0] = static_cast<kj::byte>(RecordType::DATA);
  for (size_t i = 0; i < 3; ++i) record[1 + i] = static_cast<kj::byte>(bodyBytes >> (8 * i));
  memcpy(
      record.begin() + RECORD_HEADER_BYTES, Little(receiverIndex).asBytes().begin(), INDEX_BYTES);

  auto sealed = record.slice(RECORD_HEADER_BYTES + INDEX_BYTES, record.size());
  auto plain = sealed.slice(0, plainBytes);
  putPlain(frame, body, plain);
  if (auto done = key.seal(plain, sealed); !done) return no(done.error());
  return kj::mv(record);
}

Result<uint32_t> receiverIndexOf(Bytes recordBody) {
  if (recordBody.size() < INDEX_BYTES) return no(Errc::BAD_FORMAT, "a record without an index");
  return FlatReader(recordBody).u32();
}

Result<DataFrame> openData(ReceivingKey& key, Bytes recordBody) {
  if (recordBody.size() < INDEX_BYTES + NoiseCipher::TAG_BYTES) {
    return no(Errc::BAD_FORMAT, "a DATA record without a tag");
  }
  auto plain = key.open(recordBody.slice(INDEX_BYTES, recordBody.size()));
  if (!plain) return no(plain.error());

  FlatReader reader(*plain);
  auto type = reader.u8();
  auto body = reader.var16();
  if (!reader.good()) return no(Errc::BAD_FORMAT, "a frame's length does not fit its record");
  for (auto b: reader.remaining()) {
    if (b != 0) return no(Errc::BAD_FORMAT, "a frame's padding is not zero");
  }
  return DataFrame{type, kj::mv(*plain), body};
}

}  // namespace hearth::crypto

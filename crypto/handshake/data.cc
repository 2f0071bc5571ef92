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
void putHead(uint8_t frame, size_t bodyBytes, kj::ArrayPtr<kj::byte> plain) {
  plain[0] = frame;
  plain[1] = static_cast<kj::byte>(bodyBytes);
  plain[2] = static_cast<kj::byte>(bodyBytes >> 8);
  memset(plain.begin() + HEAD_BYTES + bodyBytes, 0, plain.size() - HEAD_BYTES - bodyBytes);
}

// `plain` is an opened plaintext.
Result<DataView> readPlain(Bytes plain) {
  FlatReader reader(plain);
  auto type = reader.u8();
  auto body = reader.var16();
  if (!reader.good()) return no(Errc::BAD_FORMAT, "a frame's length does not fit its record");
  kj::byte any = 0;  // not one branch for each byte: padding is up to 48 KiB
  for (auto b: reader.remaining()) any |= b;
  if (any != 0) return no(Errc::BAD_FORMAT, "a frame's padding is not zero");
  return DataView{type, body};
}
}  // namespace

Buffer dataPlain(uint8_t frame, Bytes body, Padding padding) {
  KJ_REQUIRE(body.size() <= DATA_FRAME_BYTES_MAX, body.size());
  auto plain = kj::heapArray<kj::byte>(paddedSize(HEAD_BYTES + body.size(), padding));
  if (body.size() > 0) memcpy(plain.begin() + HEAD_BYTES, body.begin(), body.size());
  putHead(frame, body.size(), plain);
  return plain;
}

size_t dataRecordBytes(size_t bodyBytes, Padding padding) {
  KJ_REQUIRE(bodyBytes <= DATA_FRAME_BYTES_MAX, bodyBytes);
  return RECORD_HEADER_BYTES + INDEX_BYTES + paddedSize(HEAD_BYTES + bodyBytes, padding) +
      NoiseCipher::TAG_BYTES;
}

Result<void> sealDataInPlace(SendingKey& key, uint32_t receiverIndex, uint8_t frame,
    size_t bodyBytes, kj::ArrayPtr<kj::byte> record) {
  KJ_REQUIRE(record.size() >= DATA_BODY_AT + bodyBytes + NoiseCipher::TAG_BYTES);
  auto rest = record.size() - RECORD_HEADER_BYTES;
  record[0] = static_cast<kj::byte>(RecordType::DATA);
  for (size_t i = 0; i < 3; ++i) record[1 + i] = static_cast<kj::byte>(rest >> (8 * i));
  memcpy(
      record.begin() + RECORD_HEADER_BYTES, Little(receiverIndex).asBytes().begin(), INDEX_BYTES);
  auto sealed = record.slice(RECORD_HEADER_BYTES + INDEX_BYTES, record.size());
  auto plain = sealed.slice(0, sealed.size() - NoiseCipher::TAG_BYTES);
  putHead(frame, bodyBytes, plain);
  return key.seal(plain, sealed);
}

Result<Buffer> sealData(
    SendingKey& key, uint32_t receiverIndex, uint8_t frame, Bytes body, Padding padding) {
  auto record = kj::heapArray<kj::byte>(dataRecordBytes(body.size(), padding));
  if (body.size() > 0) memcpy(record.begin() + DATA_BODY_AT, body.begin(), body.size());
  auto sealed = sealDataInPlace(key, receiverIndex, frame, body.size(), record);
  if (!sealed) return no(sealed.error());
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
  auto view = readPlain(*plain);
  if (!view) return no(view.error());
  return DataFrame{view->type, kj::mv(*plain), view->body};
}

Result<DataView> openDataInPlace(ReceivingKey& key, kj::ArrayPtr<kj::byte> recordBody) {
  if (recordBody.size() < INDEX_BYTES + NoiseCipher::TAG_BYTES) {
    return no(Errc::BAD_FORMAT, "a DATA record without a tag");
  }
  auto sealed = recordBody.slice(INDEX_BYTES, recordBody.size());
  auto plain = sealed.slice(0, sealed.size() - NoiseCipher::TAG_BYTES);
  if (auto opened = key.open(sealed, plain); !opened) return no(opened.error());
  return readPlain(plain);
}

}  // namespace hearth::crypto

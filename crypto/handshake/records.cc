#include "crypto/handshake/records.h"

#include "core/base/flat.h"

#include <kj/debug.h>

namespace hearth::crypto {

namespace {

kj::Maybe<size_t> limitOf(uint8_t type) {
  switch (static_cast<RecordType>(type)) {
    case RecordType::HS_INIT:
      return HS_INIT_BYTES_MAX;
    case RecordType::HS_RESP:
    case RecordType::HS_FINAL:
      return HS_REPLY_BYTES_MAX;
    case RecordType::COOKIE:
      return size_t{60};
    case RecordType::ALERT:
      return size_t{1};
    case RecordType::PAIR_HELLO:
    case RecordType::PAIR_REPLY:
    case RecordType::PAKE_A:
    case RecordType::PAKE_B:
      return PAIR_BYTES_MAX;
    case RecordType::DATA:
      return DATA_BYTES_MAX;
    case RecordType::BULK:
      return BULK_BYTES_MAX;
  }
  return nullptr;
}

template <typename T>
Result<T> finished(const FlatReader& reader, T value) {
  if (auto end = reader.finish(); !end) return no(end.error());
  return value;
}

}  // namespace

Result<RecordHeader> readRecordHeader(Bytes header) {
  FlatReader reader(header);
  auto type = reader.u8();
  auto length = reader.u24();
  if (auto end = reader.finish(); !end) return no(end.error());
  KJ_IF_MAYBE(limit, limitOf(type)) {
    if (length > *limit) return no(Errc::BAD_LENGTH, "a record over the limit of its type");
    return RecordHeader{static_cast<RecordType>(type), length};
  }
  return no(Errc::BAD_FORMAT, "a record of unknown type");
}

Buffer writeRecord(RecordType type, Bytes body) {
  auto number = static_cast<uint8_t>(type);
  KJ_REQUIRE(body.size() <= limitOf(number).orDefault(0), number, body.size());
  FlatWriter writer;
  writer.u8(number).u24(static_cast<uint32_t>(body.size())).bytes(body);
  return writer.finish();
}

Result<HsInit> readHsInit(Bytes body) {
  FlatReader reader(body);
  HsInit init{.protocol = reader.u8(), .suite = reader.u8()};
  if (reader.u16() != 0) reader.refuse();
  init.senderIndex = reader.u32();
  init.noise = reader.var16();
  init.underMac1 = body.slice(0, body.size() - reader.remaining().size());
  init.mac1 = reader.id<Mac16>();
  init.underMac2 = body.slice(0, body.size() - reader.remaining().size());
  init.mac2 = reader.id<Mac16>();
  return finished(reader, init);
}

Result<HsResp> readHsResp(Bytes body) {
  FlatReader reader(body);
  HsResp resp{reader.u32(), reader.u32(), reader.var16()};
  return finished(reader, resp);
}

Result<HsFinal> readHsFinal(Bytes body) {
  FlatReader reader(body);
  HsFinal final{reader.u32(), reader.var16()};
  return finished(reader, final);
}

Result<CookieReply> readCookie(Bytes body) {
  FlatReader reader(body);
  CookieReply reply{reader.u32(), reader.id<CookieNonce>(), reader.bytes(32)};
  return finished(reader, reply);
}

Result<Alert> readAlert(Bytes body) {
  FlatReader reader(body);
  auto code = reader.u8();
  if (code < 1 || code > static_cast<uint8_t>(Alert::UNKNOWN_PEER)) reader.refuse();
  return finished(reader, static_cast<Alert>(code));
}

Buffer writeHsResp(uint32_t senderIndex, uint32_t receiverIndex, Bytes noise) {
  FlatWriter writer;
  writer.u32(senderIndex).u32(receiverIndex).var16(noise);
  return writeRecord(RecordType::HS_RESP, writer.asBytes());
}

Buffer writeHsFinal(uint32_t receiverIndex, Bytes noise) {
  FlatWriter writer;
  writer.u32(receiverIndex).var16(noise);
  return writeRecord(RecordType::HS_FINAL, writer.asBytes());
}

Buffer writeAlert(Alert alert) {
  kj::byte code = static_cast<uint8_t>(alert);
  return writeRecord(RecordType::ALERT, kj::arrayPtr(&code, 1));
}

}  // namespace hearth::crypto

#include "apps/hearth-vectors/answers.h"
#include "crypto/handshake/bulk.h"
#include "crypto/handshake/cookies.h"
#include "crypto/handshake/data.h"

#include <arpa/inet.h>
#include <cstring>

namespace hearth::vectors {

namespace {

using namespace hearth::crypto;

SourceAddress addressOf(const Json& address, const Json& port) {
  SourceAddress source{.port = port.get<uint16_t>()};
  auto written = text(address);
  if (inet_pton(AF_INET6, written.cStr(), source.ip) == 1) return source;
  source.ip[10] = source.ip[11] = 0xff;
  if (inet_pton(AF_INET, written.cStr(), source.ip + 12) == 1) return source;
  throw std::invalid_argument("not an address");
}

Bytes bodyOf(Bytes record) { return record.slice(RECORD_HEADER_BYTES, record.size()); }

Json cookieAnswer(const Json& in) {
  auto gate = in.at("pairing").get<bool>()
      ? GateKeys::forPairing(typed<Digest>(in.at("hello_hash")))
      : GateKeys::forLink(typed<DhPublic>(in.at("responder_x_pk")));
  auto cookie =
      cookieFor(typed<CookieSecret>(in.at("secret")), addressOf(in.at("address"), in.at("port")));
  auto write = [&](kj::Maybe<Cookie> held) {
    return writeHsInit(gate, in.at("pattern").get<uint8_t>(), in.at("sender_index").get<uint32_t>(),
        bytes(in.at("noise")), held);
  };
  auto without = write(nullptr), with = write(cookie);
  auto init = readHsInit(bodyOf(with)).value();
  auto reply = writeCookie(gate, init, cookie, typed<CookieNonce>(in.at("nonce")));
  if (!mac1Holds(gate, init) || !mac2Holds(cookie, init)) return nullptr;
  auto opened = openCookie(gate, init.mac1, readCookie(bodyOf(reply)).value());
  if (opened.value_or(Cookie()) != cookie) return nullptr;
  return {{"mac1", hex(init.mac1.asBytes())}, {"cookie", hex(cookie.asBytes())},
      {"cookie_record", hex(reply)}, {"mac2", hex(init.mac2.asBytes())},
      {"hs_init_record", hex(with)}, {"hs_init_record_without_cookie", hex(without)}};
}

Json exporterAnswer(const Json& in) {
  auto out = kj::heapArray<kj::byte>(in.at("length").get<size_t>());
  exportKey(typed<ExporterSecret>(in.at("exporter_secret")), typed<NoiseH>(in.at("noise_h")),
      text(in.at("label")), out);
  return {{"out", hex(out)}};
}

Json dataRecordAnswer(const Json& in) {
  auto state = [&] {
    return CipherState(chaChaPoly(), typed<CipherKey>(in.at("key")), in.at("n").get<uint64_t>());
  };
  auto padding = in.at("padding") == "interactive" ? Padding::INTERACTIVE : Padding::OTHER;
  auto frame = in.at("frame").get<uint8_t>();
  auto body = bytes(in.at("body"));
  SendingKey sending(state());
  ReceivingKey receiving(state());
  auto record =
      sealData(sending, in.at("receiver_index").get<uint32_t>(), frame, body, padding).value();
  auto opened = openData(receiving, bodyOf(record));
  if (!opened || opened->type != frame || opened->body != body.asPtr()) return nullptr;
  return {{"plain", hex(opened->plain)}, {"record", hex(record)}};
}

Json bulkRecordAnswer(const Json& in) {
  auto key = [&] {
    return bulkKey(typed<ExporterSecret>(in.at("exporter_secret")), typed<NoiseH>(in.at("noise_h")),
        in.at("direction") == "i2r" ? Direction::I2R : Direction::R2I);
  };
  auto counter = in.at("counter").get<uint64_t>(), noiseN = in.at("noise_n").get<uint64_t>();
  auto data = bytes(in.at("data"));
  auto record = BulkSender(key(), counter)
                    .seal(in.at("receiver_index").get<uint32_t>(), noiseN,
                        in.at("stream_id").get<uint32_t>(), in.at("offset").get<uint64_t>(), data)
                    .value();
  auto opened = BulkReceiver(key(), counter).open(bodyOf(record), noiseN);
  if (!opened || opened->data != data.asPtr()) return nullptr;
  return {{"key", hex(key().reveal())}, {"record", hex(record)}};
}

constexpr AnswerKind KINDS[] = {
    {"cookie", &cookieAnswer},
    {"exporter", &exporterAnswer},
    {"data_record", &dataRecordAnswer},
    {"bulk_record", &bulkRecordAnswer},
};

}  // namespace

kj::ArrayPtr<const AnswerKind> recordAnswers() { return KINDS; }

}  // namespace hearth::vectors

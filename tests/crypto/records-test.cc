#include "crypto/handshake/bulk.h"
#include "crypto/handshake/data.h"
#include "crypto/handshake/messages.h"
#include "crypto/handshake/records.h"

#include <kj/exception.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>

namespace hearth::crypto {
namespace {

Bytes bodyOf(const Buffer& record) { return record.slice(RECORD_HEADER_BYTES, record.size()); }

CipherState stateAt(uint64_t n) {
  return CipherState(chaChaPoly(), CipherKey::make([](kj::ArrayPtr<kj::byte>) {}), n);
}

Result<Buffer> seal(SendingKey& key, Bytes plain) {
  auto out = kj::heapArray<kj::byte>(plain.size() + NoiseCipher::TAG_BYTES);
  if (auto sealed = key.seal(plain, out); !sealed) return no(sealed.error());
  return kj::mv(out);
}

TEST_CASE("a record of unknown type or over the limit of its type is refused before its body") {
  struct Limit {
    uint8_t type;
    uint32_t most;
  };
  for (auto limit: {Limit{1, 2048}, Limit{2, 4096}, Limit{3, 4096}, Limit{4, 60}, Limit{5, 1},
           Limit{6, 64}, Limit{9, 64}, Limit{0x10, 65539}, Limit{0x11, 1048632}}) {
    auto header = [&](uint32_t length) {
      return kj::heapArray<kj::byte>({limit.type, static_cast<kj::byte>(length),
          static_cast<kj::byte>(length >> 8), static_cast<kj::byte>(length >> 16)});
    };
    REQUIRE(readRecordHeader(header(limit.most)).value().bodyBytes == limit.most);
    REQUIRE(readRecordHeader(header(limit.most + 1)).error().code == Errc::BAD_LENGTH);
  }
  for (uint8_t type: {0, 0x0a, 0x0f, 0x12, 0xff}) {
    REQUIRE(readRecordHeader(kj::heapArray<kj::byte>({type, 0, 0, 0})).error().code ==
        Errc::BAD_FORMAT);
  }
}

TEST_CASE("handshake bodies cut at any byte are refused") {
  auto resp = writeHsResp(1, 2, "noise"_kj.asBytes());
  auto final = writeHsFinal(2, "noise"_kj.asBytes());
  for (size_t cut = 0; cut < bodyOf(resp).size(); ++cut) {
    REQUIRE_FALSE(readHsResp(bodyOf(resp).slice(0, cut)).has_value());
  }
  for (size_t cut = 0; cut < bodyOf(final).size(); ++cut) {
    REQUIRE_FALSE(readHsFinal(bodyOf(final).slice(0, cut)).has_value());
  }
  kj::byte body[60] = {};
  for (size_t cut = 0; cut < 60; ++cut) {
    REQUIRE_FALSE(readCookie(kj::arrayPtr(body, cut)).has_value());
  }
  REQUIRE(readCookie(body).has_value());
}

TEST_CASE("an alert of unknown code is refused") {
  kj::byte none = 0, last = 6, beyond = 7;
  REQUIRE_FALSE(readAlert(kj::arrayPtr(&none, 1)).has_value());
  REQUIRE(readAlert(kj::arrayPtr(&last, 1)).value() == Alert::UNKNOWN_PEER);
  REQUIRE_FALSE(readAlert(kj::arrayPtr(&beyond, 1)).has_value());
}

TEST_CASE("padding hides lengths in steps") {
  REQUIRE(paddedSize(3, Padding::INTERACTIVE) == 16);
  REQUIRE(paddedSize(17, Padding::INTERACTIVE) == 32);
  REQUIRE(paddedSize(65505, Padding::INTERACTIVE) == DATA_PLAIN_BYTES_MAX);
  REQUIRE(paddedSize(3, Padding::OTHER) == 1024);
  REQUIRE(paddedSize(1025, Padding::OTHER) == 4096);
  REQUIRE(paddedSize(16385, Padding::OTHER) == DATA_PLAIN_BYTES_MAX);
}

TEST_CASE("a frame of the largest size passes and a larger one is a bug in the caller") {
  auto body = kj::heapArray<kj::byte>(DATA_FRAME_BYTES_MAX);
  memset(body.begin(), 1, body.size());
  SendingKey sending(stateAt(0));
  ReceivingKey receiving(stateAt(0));
  auto record = sealData(sending, 9, 4, body, Padding::INTERACTIVE).value();
  REQUIRE(bodyOf(record).size() == DATA_BYTES_MAX);
  REQUIRE(receiverIndexOf(bodyOf(record)).value() == 9);
  REQUIRE(openData(receiving, bodyOf(record)).value().body == body.asPtr());
  auto more = kj::heapArray<kj::byte>(DATA_FRAME_BYTES_MAX + 1);
  REQUIRE_THROWS_AS(sealData(sending, 9, 4, more, Padding::OTHER), kj::Exception);
}

TEST_CASE("padding that is not zero and a length that does not fit end the link") {
  auto refused = [](kj::Array<kj::byte> plain) {
    SendingKey sending(stateAt(0));
    ReceivingKey receiving(stateAt(0));
    kj::Vector<kj::byte> body;
    body.addAll(Little<uint32_t>(9).asBytes());
    body.addAll(seal(sending, plain).value());
    return openData(receiving, body).error().code;
  };
  auto plain = dataPlain(4, "abc"_kj.asBytes(), Padding::INTERACTIVE);
  plain[15] = 1;
  REQUIRE(refused(kj::mv(plain)) == Errc::BAD_FORMAT);
  REQUIRE(refused(kj::heapArray<kj::byte>({4, 14, 0})) == Errc::BAD_FORMAT);
  REQUIRE(refused(kj::heapArray<kj::byte>({4})) == Errc::BAD_FORMAT);
}

TEST_CASE(
    "T1: a replayed, lost or swapped DATA record does not open, and the next right one does") {
  SendingKey sending(stateAt(0));
  ReceivingKey receiving(stateAt(0));
  auto first = seal(sending, "first"_kj.asBytes()).value();
  auto second = seal(sending, "second"_kj.asBytes()).value();
  REQUIRE(receiving.open(second).error().code == Errc::DECRYPT_FAILED);
  REQUIRE(receiving.open(first).has_value());
  REQUIRE(receiving.open(first).error().code == Errc::DECRYPT_FAILED);
  REQUIRE(receiving.open(second).has_value());
}

TEST_CASE("T14: both sides change their key before record 16384, also after a forgery there") {
  SendingKey sending(stateAt(REKEY_EVERY - 1));
  ReceivingKey receiving(stateAt(REKEY_EVERY - 1));
  CipherState old = stateAt(REKEY_EVERY);
  REQUIRE(receiving.open(seal(sending, nullptr).value()).has_value());
  auto sealed = seal(sending, nullptr).value();
  REQUIRE(old.open(nullptr, sealed).error().code == Errc::DECRYPT_FAILED);
  kj::byte forged[16] = {};
  REQUIRE(receiving.open(forged).error().code == Errc::DECRYPT_FAILED);
  REQUIRE(receiving.open(sealed).has_value());
}

TEST_CASE("T14: the last counter value is never sealed or opened under") {
  SendingKey sending(stateAt(UINT64_MAX));
  ReceivingKey receiving(stateAt(UINT64_MAX));
  REQUIRE(seal(sending, nullptr).error().code == Errc::KEYS_EXPIRED);
  kj::byte sealed[16] = {};
  REQUIRE(receiving.open(sealed).error().code == Errc::KEYS_EXPIRED);
  REQUIRE(sealData(sending, 1, 0, nullptr, Padding::OTHER).error().code == Errc::KEYS_EXPIRED);
}

BulkKey bulkKeyOf() {
  return BulkKey::make([](kj::ArrayPtr<kj::byte>) {});
}

TEST_CASE("a bulk record opens once, in its place, untouched") {
  BulkSender sender(bulkKeyOf());
  BulkReceiver receiver(bulkKeyOf());
  auto record = sender.seal(1, 5, 7, 1ull << 40, "data"_kj.asBytes()).value();
  REQUIRE(receiver.open(bodyOf(record), 4).error().code == Errc::REPLAY);
  auto damaged = kj::heapArray<kj::byte>(record.asPtr());
  damaged[damaged.size() - 1] ^= 1;
  REQUIRE(receiver.open(bodyOf(damaged), 5).error().code == Errc::DECRYPT_FAILED);
  auto chunk = receiver.open(bodyOf(record), 5).value();
  REQUIRE(chunk.streamId == 7);
  REQUIRE(chunk.offset == 1ull << 40);
  REQUIRE(chunk.data == "data"_kj.asBytes());
  REQUIRE(receiver.open(bodyOf(record), 5).error().code == Errc::DECRYPT_FAILED);
}

TEST_CASE("bulk records keep their limits") {
  auto data = kj::heapArray<kj::byte>(BULK_DATA_BYTES_MAX);
  memset(data.begin(), 3, data.size());
  auto record = BulkSender(bulkKeyOf()).seal(1, 0, 2, 0, data).value();
  REQUIRE(bodyOf(record).size() == BULK_BYTES_MAX);
  BulkReceiver receiver(bulkKeyOf());
  REQUIRE(receiver.open(bodyOf(record), 0).value().data == data.asPtr());
  REQUIRE(receiver.open(bodyOf(record).slice(0, 55), 0).error().code == Errc::BAD_FORMAT);
  auto code = BulkSender(bulkKeyOf(), UINT64_MAX).seal(1, 0, 2, 0, nullptr).error().code;
  REQUIRE(code == Errc::KEYS_EXPIRED);
}

TEST_CASE("messages come out whole, however they are cut") {
  kj::Vector<kj::byte> stream;
  stream.addAll(writeMessage(3, "first"_kj.asBytes()));
  stream.addAll(writeMessage(4, nullptr));
  stream.addAll(writeMessage(5, "third"_kj.asBytes()));
  for (size_t step = 1; step <= stream.size(); ++step) {
    MessageReader reader;
    kj::Vector<Message> messages;
    for (size_t at = 0; at < stream.size(); at += step) {
      auto some = reader.feed(stream.asPtr().slice(at, kj::min(at + step, stream.size())));
      for (auto& message: some.value()) messages.add(kj::mv(message));
    }
    REQUIRE(messages.size() == 3);
    REQUIRE(messages[0].body.asPtr() == "first"_kj.asBytes());
    REQUIRE(messages[1].kind == 4);
    REQUIRE(messages[2].body.asPtr() == "third"_kj.asBytes());
    REQUIRE_FALSE(reader.isInside());
  }
}

TEST_CASE("a message of the largest size passes and one byte more is refused at its head") {
  auto body = kj::heapArray<kj::byte>(MESSAGE_BODY_BYTES_MAX);
  memset(body.begin(), 0, body.size());
  REQUIRE(MessageReader().feed(writeMessage(1, body)).value().size() == 1);
  auto head = kj::heapArray<kj::byte>({1, 0, 2, 0, 1});
  REQUIRE(MessageReader().feed(head).error().code == Errc::BAD_LENGTH);
}

}  // namespace
}  // namespace hearth::crypto

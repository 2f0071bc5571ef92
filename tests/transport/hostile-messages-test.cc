// Bytes that are made to cost or to break: every reader of what a peer sends answers with a bounded
// error.

#include "crypto/handshake/data.h"
#include "crypto/handshake/records.h"
#include "transport/rpc/link-rpc.h"

#include <capnp/any.h>
#include <capnp/serialize.h>

#include <catch2/catch_test_macros.hpp>
#include <vector>

namespace hearth::transport {
namespace {

using crypto::CipherKey;
using crypto::CipherState;

CipherState freshState() {
  return CipherState(crypto::chaChaPoly(), CipherKey::make([](kj::ArrayPtr<kj::byte>) {}), 0);
}

TEST_CASE(
    "T17: records of length zero, over their limit, with a cut tag or a lying length are refused") {
  for (auto read: std::initializer_list<bool (*)(crypto::Bytes)>{
           [](crypto::Bytes b) { return crypto::readHsInit(b).has_value(); },
           [](crypto::Bytes b) { return crypto::readHsResp(b).has_value(); },
           [](crypto::Bytes b) { return crypto::readHsFinal(b).has_value(); },
           [](crypto::Bytes b) { return crypto::readCookie(b).has_value(); },
           [](crypto::Bytes b) { return crypto::readAlert(b).has_value(); },
           [](crypto::Bytes b) { return crypto::receiverIndexOf(b).has_value(); }}) {
    REQUIRE_FALSE(read(nullptr));
  }
  // u24: the length that a header claims is judged before its body is waited for.
  constexpr kj::byte DATA = 0x10;
  auto claims = [&](size_t bytes) {
    kj::byte header[] = {DATA, static_cast<kj::byte>(bytes), static_cast<kj::byte>(bytes >> 8),
        static_cast<kj::byte>(bytes >> 16)};
    return crypto::readRecordHeader(header).has_value();
  };
  REQUIRE(claims(crypto::DATA_BYTES_MAX));
  REQUIRE_FALSE(claims(crypto::DATA_BYTES_MAX + 1));
  REQUIRE_FALSE(claims(0xffffff));

  crypto::SendingKey sending(freshState());
  auto record =
      crypto::sealData(sending, 7, 4, "hello"_kj.asBytes(), crypto::Padding::INTERACTIVE).value();
  auto body = record.slice(crypto::RECORD_HEADER_BYTES, record.size());
  for (size_t cut = 1; cut <= body.size(); ++cut) {
    crypto::ReceivingKey receiving(freshState());
    REQUIRE_FALSE(crypto::openData(receiving, body.slice(0, body.size() - cut)).has_value());
  }
  // A var16 that claims more than there is: the Noise message of an HS_INIT.
  std::vector<kj::byte> lying(64, 0);
  lying[8] = lying[9] = 0xff;
  REQUIRE_FALSE(crypto::readHsInit(kj::arrayPtr(lying.data(), lying.size())).has_value());
}

// A message of one segment, as a link's RPC reads it.
struct Hostile {
  std::vector<uint64_t> words;

  // How often one may go on, before it is an error.
  template <typename Walk>
  size_t walk(Walk&& onward) {
    kj::ArrayPtr<const capnp::word> segment(
        reinterpret_cast<const capnp::word*>(words.data()), words.size());
    capnp::SegmentArrayMessageReader message(kj::arrayPtr(&segment, 1), linkReaderOptions());
    size_t steps = 0;
    auto failed =
        kj::runCatchingExceptions([&]() { onward(message.getRoot<capnp::AnyPointer>(), steps); });
    ended = failed != nullptr;
    return steps;
  }
  bool ended = false;  // by an error
};

constexpr uint64_t STRUCT_OF_ONE_POINTER = uint64_t{1} << 48;
constexpr size_t STEPS_MAX = 100'000;

void descend(capnp::AnyPointer::Reader at, size_t& steps) {
  while (!at.isNull() && steps < STEPS_MAX) {
    auto inner = at.getAs<capnp::AnyStruct>();
    ++steps;
    if (inner.getPointerSection().size() == 0) return;
    at = inner.getPointerSection()[0];
  }
}

TEST_CASE("T17: a message that nests 33 deep is an error, and one that nests 32 deep is none") {
  for (size_t depth: {31, 32, 33, 34}) {
    Hostile message;
    message.words.assign(depth, STRUCT_OF_ONE_POINTER);
    message.words.push_back(0);
    auto steps = message.walk(descend);
    CAPTURE(depth, steps);
    REQUIRE(message.ended == (depth > 32));
    REQUIRE(steps <= 32);
  }
}

TEST_CASE("T17: far pointers that lead in a circle, or out of the message, are a bounded error") {
  constexpr uint64_t FAR = 2, DOUBLE_FAR = 6;
  for (auto word: {FAR, DOUBLE_FAR, FAR | (uint64_t{5} << 32), FAR | (uint64_t{1} << 20),
           DOUBLE_FAR | (uint64_t{1} << 20)}) {
    Hostile message;
    message.words = {word, word, word};
    auto steps = message.walk(descend);
    REQUIRE(steps <= 32);
    REQUIRE(message.ended);
  }
  // A struct that is its own child.
  Hostile ouroboros;
  constexpr uint64_t BACK_TO_ITSELF = STRUCT_OF_ONE_POINTER | 0xfffffffcu;  // offset -1
  ouroboros.words = {BACK_TO_ITSELF, BACK_TO_ITSELF};
  REQUIRE(ouroboros.walk(descend) <= 32);
  REQUIRE(ouroboros.ended);
}

TEST_CASE("T17: a small message whose pointers all lead to one place is read only so far") {
  constexpr size_t POINTERS = 4'000, LIST_BYTES = 8'000;
  Hostile message;
  message.words.push_back(uint64_t{POINTERS} << 48);
  for (size_t i = 0; i < POINTERS; ++i) {
    uint64_t offset = POINTERS - i - 1;  // to the word behind the last pointer
    message.words.push_back(1 | offset << 2 | uint64_t{2} << 32 | uint64_t{LIST_BYTES} << 35);
  }
  message.words.resize(message.words.size() + LIST_BYTES / sizeof(uint64_t));
  size_t bytesRead = 0;
  message.walk([&](capnp::AnyPointer::Reader root, size_t&) {
    for (auto pointer: root.getAs<capnp::AnyStruct>().getPointerSection())
      bytesRead += pointer.getAs<capnp::Data>().size();
  });
  constexpr size_t READ_MAX = 16 << 20;
  REQUIRE(message.ended);
  REQUIRE(bytesRead > LIST_BYTES);
  REQUIRE(bytesRead <= READ_MAX);
}

}  // namespace
}  // namespace hearth::transport

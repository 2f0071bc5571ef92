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
    capnp::SegmentArrayMessageReader message(
        kj::arrayPtr(&segment, 1), readerOptions(words.size()));
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
  REQUIRE(message.ended);
  REQUIRE(bytesRead > LIST_BYTES);
  REQUIRE(bytesRead <= (4 * message.words.size() + 1'024) * sizeof(uint64_t));
}

// What RPC over a link reads of these bytes, and what becomes of the stream.
struct OnWire {
  kj::EventLoop loop;
  kj::WaitScope waitScope{loop};
  kj::TwoWayPipe pipe = kj::newTwoWayPipe();
  MessageStream messages{*pipe.ends[1]};

  void write(std::vector<uint32_t> numbers) {
    writing = pipe.ends[0]
                  ->write(numbers.data(), numbers.size() * sizeof(uint32_t))
                  .attach(kj::mv(numbers))
                  .eagerlyEvaluate(nullptr);
  }
  kj::Promise<void> writing = nullptr;
};

TEST_CASE("a message comes whole through a link's stream, in one piece or in several") {
  for (size_t piece: {1'024, 4}) {
    OnWire wire;
    capnp::MallocMessageBuilder built(piece, capnp::AllocationStrategy::FIXED_SIZE);
    auto texts = built.initRoot<capnp::AnyPointer>().initAs<capnp::List<capnp::Text>>(20);
    for (kj::uint i = 0; i < texts.size(); ++i) texts.set(i, kj::str("text number ", i));
    REQUIRE((built.getSegmentsForOutput().size() > 1) == (piece == 4));
    MessageStream out(*wire.pipe.ends[0]);
    auto writing = capnp::writeMessage(*wire.pipe.ends[0], built).eagerlyEvaluate(nullptr);
    auto read = wire.messages.tryReadMessage().wait(wire.waitScope);
    auto& reader = *KJ_REQUIRE_NONNULL(read);
    REQUIRE(reader.getRoot<capnp::List<capnp::Text>>()[19] == "text number 19");
    writing.wait(wire.waitScope);
    wire.pipe.ends[0]->shutdownWrite();
    REQUIRE(wire.messages.tryReadMessage().wait(wire.waitScope) == nullptr);
  }
}

TEST_CASE("T17: a message that claims too many pieces or words is refused before memory is taken") {
  auto refused = [](std::vector<uint32_t> numbers) {
    OnWire wire;
    wire.write(kj::mv(numbers));
    auto read = wire.messages.tryReadMessage();
    if (!read.poll(wire.waitScope)) return false;
    return kj::runCatchingExceptions([&]() { read.wait(wire.waitScope); }) != nullptr;
  };
  REQUIRE(refused({SEGMENTS_MAX, 1}));
  REQUIRE(refused({UINT32_MAX, UINT32_MAX}));
  REQUIRE(refused({0, static_cast<uint32_t>(MESSAGE_WORDS_MAX) + 1}));
  REQUIRE(refused({1, static_cast<uint32_t>(MESSAGE_WORDS_MAX), 1, 0}));
  REQUIRE_FALSE(refused({0, static_cast<uint32_t>(MESSAGE_WORDS_MAX)}));  // waits for them
}

TEST_CASE("T17: a reader looks at four times the words of its message, and at 8 Mi at most") {
  REQUIRE(readerOptions(0).traversalLimitInWords == 1'024);
  REQUIRE(readerOptions(100).traversalLimitInWords == 1'424);
  REQUIRE(readerOptions(MESSAGE_WORDS_MAX).traversalLimitInWords == size_t{8} << 20);
  REQUIRE(readerOptions(100).nestingLimit == 32);
}

}  // namespace
}  // namespace hearth::transport

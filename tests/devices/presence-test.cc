// Who is at a document, as two devices tell each other.
#include "devices/data/presence-message.h"

#include <kj/async-io.h>
#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::devices::presence {
namespace {

Message decoded(const Message& message) {
  auto bytes = encode(message);
  return decode(bytes.slice(2, bytes.size())).value();
}

Errc refused(crypto::Bytes bytes) { return decode(bytes).error().code; }

TEST_CASE("what is said of who is at a document reads as it was written") {
  Message here = Here{7, "notes", R"({"at":3})"}, gone = Gone{7}, said = Said{"notes", ""};
  REQUIRE(decoded(here) == here);
  REQUIRE(decoded(gone) == gone);
  REQUIRE(decoded(said) == said);
  Message most =
      Here{0xffffffff, std::string(DOCUMENT_BYTES_MAX, 'd'), std::string(VALUE_BYTES_MAX, 'v')};
  REQUIRE(decoded(most) == most);
}

TEST_CASE("what keeps no limit, is no text, or is no message is refused") {
  auto bytesOf = [](const Message& message) {
    auto bytes = encode(message);
    return kj::heapArray<kj::byte>(bytes.slice(2, bytes.size()));
  };
  REQUIRE(refused(nullptr) == Errc::BAD_FORMAT);
  REQUIRE(refused("\x03"_kj.asBytes()) == Errc::BAD_FORMAT);
  auto said = bytesOf(Said{"notes", "null"});
  REQUIRE(refused(said.slice(0, said.size() - 1)) == Errc::BAD_FORMAT);
  auto nameless = bytesOf(Said{"", "null"});
  REQUIRE(refused(nameless) == Errc::BAD_FORMAT);
  auto noText = bytesOf(Said{"notes", "\xff"});
  REQUIRE(refused(noText) == Errc::BAD_FORMAT);
  auto tooLong = kj::heapArray<kj::byte>(1 + 1 + 1 + 2 + VALUE_BYTES_MAX + 1);
  memset(tooLong.begin(), 'v', tooLong.size());
  tooLong[0] = 2;
  tooLong[1] = 1;
  tooLong[3] = (VALUE_BYTES_MAX + 1) & 0xff;
  tooLong[4] = (VALUE_BYTES_MAX + 1) >> 8;
  REQUIRE(refused(tooLong) == Errc::BAD_FORMAT);
}

TEST_CASE("messages are read one after another, to the end") {
  auto io = kj::setupAsyncIo();
  auto pipe = kj::newOneWayPipe();
  auto one = encode(Here{1, "a", "1"}), other = encode(Gone{1});
  auto writing = pipe.out->write(one.begin(), one.size())
                     .then([&]() { return pipe.out->write(other.begin(), other.size()); })
                     .then([&]() { pipe.out = nullptr; })
                     .eagerlyEvaluate(nullptr);
  auto next = [&]() { return read(*pipe.in).wait(io.waitScope).value(); };
  REQUIRE(KJ_REQUIRE_NONNULL(next()) == Message(Here{1, "a", "1"}));
  REQUIRE(KJ_REQUIRE_NONNULL(next()) == Message(Gone{1}));
  REQUIRE(next() == nullptr);
}

}  // namespace
}  // namespace hearth::devices::presence

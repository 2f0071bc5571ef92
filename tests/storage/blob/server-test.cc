#include "core/base/flat.h"
#include "storage/blob/at-once.h"
#include "storage/blob/server.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::storage {
namespace {

using crypto::Buffer;
using crypto::Bytes;

struct Empty final: public PartSource {
  kj::Maybe<Buffer> part(const ContentId&, uint8_t, uint64_t) override { return nullptr; }
};

AskParts askFor(size_t count) {
  AskParts ask;
  for (uint32_t i = 0; i < count; ++i) ask.parts.push_back({{}, i, 0, i});
  return ask;
}

constexpr auto LATER = kj::origin<kj::TimePoint>() + 1 * kj::HOURS;

TEST_CASE("whoever asks for too much at once is told to wait, and who goes on asking is refused") {
  Empty source;
  BlobServer server;
  REQUIRE(server.received(askFor(ASKED_MAX), LATER).has_value());
  REQUIRE(server.received(askFor(ASKED_MAX), LATER).has_value());
  REQUIRE(server.received(askFor(1), LATER).error().code == Errc::LIMIT_EXCEEDED);
  size_t lacks = 0, busy = 0;
  while (!server.isIdle()) {
    auto message = parseBlobMessage(KJ_ASSERT_NONNULL(nextAtOnce(server, source, LATER))).value();
    if (auto told = std::get_if<LackParts>(&message)) lacks += told->tickets.size();
    if (auto told = std::get_if<BusyParts>(&message)) busy += told->tickets.size();
  }
  REQUIRE(lacks == ASKED_MAX);
  REQUIRE(busy == ASKED_MAX);
}

TEST_CASE(
    "whoever was told that some of a blob is not here is told once when more of it is, and nobody else") {
  Empty source;
  BlobServer server;
  REQUIRE(server.received(askFor(2), LATER).has_value());
  while (!server.isIdle()) nextAtOnce(server, source, LATER);
  ContentId other;
  other.bytes[0] = 1;
  server.has(other);
  REQUIRE(server.isIdle());
  server.has({});
  server.has({});
  auto message = parseBlobMessage(KJ_REQUIRE_NONNULL(server.next())).value();
  REQUIRE(std::get<HasParts>(message).contents == std::vector<ContentId>{{}});
  REQUIRE(server.isIdle());
}

TEST_CASE(
    "what was looked up is lacking when nothing is given, and may be here when something is again") {
  BlobServer server;
  REQUIRE(server.received(askFor(3), LATER).has_value());
  kj::Vector<kj::Maybe<Buffer>> answers;
  for (int i = 0; i < 3; ++i) answers.add(kj::heapArray<kj::byte>(10));
  server.lookedUp(kj::mv(answers), LATER);
  REQUIRE(server.hasParts());
  server.giveNothing();
  REQUIRE(!server.hasParts());
  REQUIRE(server.hasRefused());
  auto message = parseBlobMessage(KJ_REQUIRE_NONNULL(server.next())).value();
  REQUIRE(std::get<LackParts>(message).tickets == std::vector<uint32_t>{0, 1, 2});
  REQUIRE(server.next() == nullptr);
  server.hasAll();
  REQUIRE(!server.hasRefused());
  auto told = parseBlobMessage(KJ_REQUIRE_NONNULL(server.next())).value();
  REQUIRE(std::get<HasParts>(told).contents == std::vector<ContentId>{{}});
  REQUIRE(server.isIdle());
}

TEST_CASE("whoever asks for what comes while it is looked up is told so") {
  BlobServer server;
  REQUIRE(server.received(askFor(2), LATER).has_value());
  REQUIRE(server.toLookUp().size() == 2);
  server.has({});
  kj::Vector<kj::Maybe<Buffer>> answers;
  answers.resize(2);
  server.lookedUp(kj::mv(answers), LATER);
  auto lacks = parseBlobMessage(KJ_REQUIRE_NONNULL(server.next())).value();
  REQUIRE(std::get<LackParts>(lacks).tickets.size() == 2);
  auto has = parseBlobMessage(KJ_REQUIRE_NONNULL(server.next())).value();
  REQUIRE(std::get<HasParts>(has).contents == std::vector<ContentId>{{}});
  REQUIRE(server.isIdle());
}

// Asks for what is not here, so often in a second, for so long. Whether that was refused.
bool isRefused(BlobServer& server, size_t perSecond, size_t seconds) {
  Empty source;
  for (size_t second = 0; second < seconds; ++second) {
    auto now = LATER + second * kj::SECONDS;
    for (size_t asked = 0; asked < perSecond; asked += 100) {
      if (!server.received(askFor(100), now)) return true;
      while (!server.isIdle()) nextAtOnce(server, source, now);
    }
  }
  return false;
}

TEST_CASE("whoever asks for blobs that are not here for ever is refused") {
  BlobServer server;
  REQUIRE(isRefused(server, 2'000, 1'000));
}

TEST_CASE("questions for what is not here are forgotten with time") {
  BlobServer server;
  REQUIRE(!isRefused(server, 1'000, 1'000));
}

TEST_CASE("what is looked up at a time is as much as keeps the link busy") {
  BlobServer server;
  REQUIRE(server.received(askFor(100), LATER).has_value());
  kj::Vector<kj::Maybe<Buffer>> answers;
  while (answers.size() * CHUNK_BYTES_MAX < BlobServer::READ_BYTES_MAX)
    answers.add(kj::heapArray<kj::byte>(CHUNK_BYTES_MAX));
  REQUIRE(server.toLookUp().size() == 100);
  server.lookedUp(kj::mv(answers), LATER);
  REQUIRE(server.toLookUp().empty());
  server.next();
  REQUIRE(server.toLookUp().size() == 84);
}

TEST_CASE("a message about blobs keeps its limits, and anything else is refused") {
  auto refused = [](Bytes bytes) { return parseBlobMessage(bytes).error().code; };
  REQUIRE(std::get<AskParts>(parseBlobMessage(encode(askFor(ASKED_MAX))).value()).parts ==
      askFor(ASKED_MAX).parts);
  REQUIRE(refused(kj::heapArray<kj::byte>(BLOB_MESSAGE_BYTES_MAX + 1)) == Errc::LIMIT_EXCEEDED);
  REQUIRE(refused(nullptr) == Errc::BAD_FORMAT);
  REQUIRE(refused("\x06"_kj.asBytes()) == Errc::BAD_FORMAT);
  auto ask = encode(askFor(3));
  REQUIRE(refused(ask.slice(0, ask.size() - 1)) == Errc::BAD_FORMAT);
  FlatWriter many;
  many.u8(3);
  for (uint32_t i = 0; i <= ASKED_MAX; ++i) many.u32(i);
  REQUIRE(refused(many.asBytes()) == Errc::BAD_FORMAT);
  FlatWriter answers;
  answers.u8(2);
  for (uint32_t i = 0; i <= ASKED_MAX; ++i) answers.u32(i).var32(nullptr);
  REQUIRE(refused(answers.asBytes()) == Errc::BAD_FORMAT);
  FlatWriter had;
  had.u8(5);
  for (size_t i = 0; i <= ASKED_MAX; ++i) had.bytes(ContentId().asBytes());
  REQUIRE(refused(had.asBytes()) == Errc::BAD_FORMAT);
  REQUIRE(refused("\x05 no id"_kj.asBytes()) == Errc::BAD_FORMAT);
  FlatWriter deep;
  deep.u8(1).bytes(ContentId().asBytes()).u8(1).u32(0).u8(LEVEL_MAX + 1).u24(0).u24(0);
  REQUIRE(refused(deep.asBytes()) == Errc::BAD_FORMAT);
  FlatWriter large;
  large.u8(2).u32(0).var32(kj::heapArray<kj::byte>(CHUNK_BYTES_MAX + 1));
  REQUIRE(refused(large.asBytes()) == Errc::BAD_FORMAT);
}

}  // namespace
}  // namespace hearth::storage

#include "router/run/checkpoints.h"
#include "router/run/edge-buffer.h"
#include "router/run/frame.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::router {
namespace {

Frame frameOf(uint64_t seq, kj::StringPtr text, Lineage lineage = {}) {
  return Frame{.seq = seq,
      .flags = 0,
      .ptsUs = seq * 1000,
      .lineage = kj::mv(lineage),
      .payload = kj::heapArray<const kj::byte>(text.asBytes())};
}

uint64_t seqOf(const kj::Own<SharedBytes>& encoded) {
  return decodeFrame(encoded->bytes).value().seq;
}

TEST_CASE("a job frame keeps its lineage over the edge") {
  Lineage lineage = {{2, 7, {30, 4}, {1, 2, 3}}, {1, 30, {900}, {}}};
  auto decoded = decodeFrame(encode(frameOf(7, "words", lineage))).value();
  REQUIRE(decoded.seq == 7);
  REQUIRE(decoded.ptsUs == 7000);
  REQUIRE(decoded.lineage == lineage);
  REQUIRE(decoded.payload.asPtr() == kj::StringPtr("words").asBytes());
}

TEST_CASE("a job frame cut off anywhere in its header is refused") {
  auto whole = encode(frameOf(1, "", {{2, 7, {30}, {1}}}));
  for (size_t length = 0; length < whole.size(); ++length) {
    REQUIRE(decodeFrame(whole.slice(0, length)).error().code == Errc::BAD_FORMAT);
  }
}

TEST_CASE("a job frame with an unknown flag or number zero is refused") {
  auto flagged = encode(frameOf(1, "x"));
  flagged[8] = 0x80;
  REQUIRE(decodeFrame(flagged).error().code == Errc::BAD_FORMAT);
  REQUIRE(decodeFrame(encode(frameOf(0, "x"))).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("joined lineages keep the older checkpoint of a stage that both ways reach") {
  Lineage joined = {{1, 10, {5}, {}}};
  join(joined, {{1, 8, {4}, {}}, {0, 4, {}, {}}});
  REQUIRE(joined == Lineage{{1, 8, {4}, {}}, {0, 4, {}, {}}});
}

TEST_CASE("an edge keeps its frames until they are committed and can replay them") {
  EdgeBuffer buffer;
  for (uint64_t seq = 1; seq <= 5; ++seq) buffer.push(frameOf(seq, "x"));
  REQUIRE(buffer.commit(2).has_value());
  REQUIRE(buffer.firstSeq() == 3);
  REQUIRE(seqOf(KJ_ASSERT_NONNULL(buffer.at(3))) == 3);
  REQUIRE(buffer.at(6) == nullptr);
}

TEST_CASE("a commit that was passed before changes nothing") {
  EdgeBuffer buffer;
  buffer.push(frameOf(1, "x"));
  REQUIRE(buffer.commit(1).has_value());
  REQUIRE(buffer.commit(1).has_value());
  REQUIRE(buffer.nextSeq() == 2);
}

TEST_CASE("a commit of frames that were never made is refused") {
  EdgeBuffer buffer;
  REQUIRE(buffer.commit(1).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("an edge is full at its byte limit and takes frames again after a commit") {
  EdgeBuffer buffer;
  auto big = kj::heapArray<kj::byte>(Frame::PAYLOAD_BYTES_MAX);
  for (uint64_t seq = 1; !buffer.full(); ++seq) {
    buffer.push(Frame{.seq = seq, .payload = kj::heapArray<const kj::byte>(big)});
  }
  REQUIRE(buffer.sizeBytes() >= EdgeBuffer::BYTES_MAX);
  REQUIRE(buffer.commit(buffer.nextSeq() - 1).has_value());
  REQUIRE_FALSE(buffer.full());
}

TEST_CASE("a cut's lineage carries the newest upstream checkpoint that it rests on") {
  Checkpoints stage({2, 0, {0}, {}}, {});
  stage.received(0, 10, {{1, 10, {300}, {}}});
  stage.received(0, 20, {{1, 20, {600}, {}}});
  auto lineage = stage.cut(1, {15}, {}).value();
  REQUIRE(lineage == Lineage{{2, 1, {15}, {}}, {1, 10, {300}, {}}});
}

TEST_CASE("a commit passes on as the inputs before the newest cut that it covers") {
  Checkpoints stage({2, 0, {0}, {}}, {});
  REQUIRE(stage.cut(1, {10}, {}).has_value());
  REQUIRE(stage.cut(4, {25}, {}).has_value());
  REQUIRE(KJ_ASSERT_NONNULL(stage.committed(3)) == std::vector<uint64_t>{10});
  REQUIRE(stage.committed(3) == nullptr);
  REQUIRE(KJ_ASSERT_NONNULL(stage.committed(4)) == std::vector<uint64_t>{25});
}

TEST_CASE("a cut that goes backwards or names other inputs is refused") {
  Checkpoints stage({2, 0, {0}, {}}, {});
  REQUIRE(stage.cut(2, {10}, {}).has_value());
  REQUIRE(stage.cut(3, {9}, {}).error().code == Errc::BAD_FORMAT);
  REQUIRE(stage.cut(1, {12}, {}).error().code == Errc::BAD_FORMAT);
  REQUIRE(stage.cut(3, {12, 1}, {}).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("a stage that starts again from a lineage hands the same upstream checkpoint on") {
  Lineage upstream = {{1, 10, {300}, {}}};
  Checkpoints stage({2, 5, {12}, {}}, upstream);
  auto lineage = stage.cut(6, {14}, {}).value();
  REQUIRE(lineage == Lineage{{2, 6, {14}, {}}, {1, 10, {300}, {}}});
}

TEST_CASE("more cuts than the limit forget an old one and keep the newest committed") {
  Checkpoints stage({2, 0, {0}, {}}, {});
  for (uint64_t n = 1; n <= Checkpoints::CUTS_MAX + 10; ++n) REQUIRE(stage.cut(n, {n}, {}));
  REQUIRE(stage.committed(5) == nullptr);
  auto all = Checkpoints::CUTS_MAX + 10;
  REQUIRE(KJ_ASSERT_NONNULL(stage.committed(all)) == std::vector<uint64_t>{all});
}

}  // namespace
}  // namespace hearth::router

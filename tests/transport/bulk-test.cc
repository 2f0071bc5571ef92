// BULK records on a live link: where they may pass, and what an attacker between the devices can do with them.
#include "core/base/flat.h"
#include "tests/transport/lane-frames.h"
#include "tests/transport/linked.h"

#include <catch2/generators/catch_generators.hpp>

namespace hearth::transport {
namespace {

using crypto::RecordType;

constexpr size_t STEP = Lanes::BULK_STEP_BYTES;

struct WithAes {
  bool phone = true, laptop = true;
};

// A phone that pours onto a stream of lane bulk, and a laptop that reads nothing before it is told to.
struct Pouring final: public Linked {
  explicit Pouring(WithAes aes = {}): Linked(aes.phone, aes.laptop) {}

  void pour(size_t bytes) {
    auto text = kj::heapArray<kj::byte>(bytes);
    for (auto& byte: text) byte = static_cast<kj::byte>(poured++ % 251);
    stream->write(text.begin(), text.size()).wait(scope);
    settle();
  }
  // What the laptop can read now is what the phone poured, and so long.
  size_t drain() {
    auto room = kj::heapArray<kj::byte>(Lanes::WINDOW_BYTES);
    auto reading = laptop.incomingStreams[0]->tryRead(room.begin(), 1, room.size());
    if (!reading.poll(scope)) return 0;
    auto got = reading.wait(scope);
    for (size_t i = 0; i < got; ++i) REQUIRE(room[i] == (drained + i) % 251);
    drained += got;
    return got;
  }
  // Gives the laptop bytes as if they had come from the phone.
  void inject(const std::vector<crypto::Buffer>& records) {
    for (auto& record: records) {
      if (laptop.ended != nullptr) return;
      auto writing = phone.wire->write(record.begin(), record.size()).eagerlyEvaluate(nullptr);
      settle();
    }
  }
  Errc endedBy() { return KJ_REQUIRE_NONNULL(laptop.ended).code; }

 private:
  size_t poured = 0, drained = 0;
};

size_t count(const std::vector<crypto::Buffer>& records, RecordType type) {
  return LinkEnd::count(records, type);
}

TEST_CASE(
    "between two devices with AES a chunk of bulk goes in a BULK record, and its rest in DATA") {
  Pouring link;
  link.pour(STEP + 100);
  auto records = link.phone.records();
  REQUIRE(count(records, RecordType::BULK) == 1);
  REQUIRE(count(records, RecordType::DATA) == 1);
  REQUIRE(link.drain() == STEP + 100);
  REQUIRE(link.stands());
}

TEST_CASE("where one device lacks AES all of bulk goes in DATA records") {
  auto aes = GENERATE(WithAes{true, false}, WithAes{false, true}, WithAes{false, false});
  Pouring link(aes);
  link.pour(3 * STEP);
  REQUIRE(count(link.phone.records(), RecordType::BULK) == 0);
  REQUIRE(link.drain() == 3 * STEP);
  REQUIRE(link.stands());
}

TEST_CASE("the length of a BULK record tells no more than a padded DATA record would") {
  Pouring link;
  for (size_t bytes: {STEP, STEP + 1, 2 * STEP - 1, 5 * STEP + 77}) {
    link.pour(bytes);
    for (auto& record: link.phone.records()) {
      if (record[0] != static_cast<kj::byte>(RecordType::BULK)) continue;
      REQUIRE((record.size() - crypto::BULK_OVERHEAD_BYTES) % STEP == 0);
    }
    link.drain();
    link.calm();
  }
}

TEST_CASE("a BULK record on a link of which one device lacks AES is fatal") {
  Pouring link(WithAes{true, false});
  auto key = crypto::BulkKey::make([](kj::ArrayPtr<kj::byte>) {});
  std::vector<crypto::Buffer> records;
  records.push_back(crypto::BulkSender(kj::mv(key)).seal(1, 1, 1, 1, "no"_kj.asBytes()).value());
  link.inject(records);
  REQUIRE(link.endedBy() == Errc::BAD_FORMAT);
  REQUIRE(link.laptop.records().empty());  // and without an answer
}

// What the phone sends is taken off the wire, to be sent on as the test likes.
struct Between {
  Pouring link;
  std::vector<crypto::Buffer> held;

  explicit Between(size_t chunks) {
    link.phone.wire->holds = true;
    for (size_t i = 0; i < chunks; ++i) link.pour(STEP);
    held = link.phone.records();
    link.phone.wire->holds = false;
    REQUIRE(count(held, RecordType::BULK) == chunks);
  }
};

TEST_CASE("BULK records that are let through as they were are read") {
  Between between(3);
  between.link.inject(between.held);
  REQUIRE(between.link.drain() == 3 * STEP);
}

TEST_CASE("T1: a BULK record that comes a second time ends the link without an answer") {
  Between between(2);
  between.held.insert(between.held.begin(), kj::heapArray(between.held[0].asPtr()));
  between.link.inject(between.held);
  REQUIRE(between.link.endedBy() == Errc::DECRYPT_FAILED);
  REQUIRE(between.link.laptop.records().empty());
}

TEST_CASE(
    "T17: a BULK record that is swapped, lacks bytes, is damaged or is missing ends the link") {
  Between between(3);
  auto& held = between.held;
  SECTION("swapped") { std::swap(held[0], held[1]); }
  SECTION("damaged") { held[0][held[0].size() / 2] ^= 1; }
  SECTION("missing") { held.erase(held.begin()); }
  SECTION("without its tag") {
    held[0] = crypto::writeRecord(RecordType::BULK, held[0].slice(4, held[0].size() - 32));
  }
  SECTION("of no length") { held[0] = crypto::writeRecord(RecordType::BULK, nullptr); }
  between.link.inject(held);
  REQUIRE(between.link.laptop.ended != nullptr);
  REQUIRE(between.link.laptop.records().empty());
}

TEST_CASE("a BULK record is bound to its place among the DATA records") {
  Pouring link;
  link.phone.wire->holds = true;
  link.pour(STEP);  // BULK
  link.pour(100);   // DATA
  auto held = link.phone.records();
  link.phone.wire->holds = false;
  REQUIRE(count(held, RecordType::DATA) == 1);
  std::swap(held.front(), held.back());
  link.inject(held);
  REQUIRE(link.endedBy() == Errc::REPLAY);
}

TEST_CASE("BULK records that are held back at the end of a stream are missed") {
  Pouring link;
  link.pour(STEP);
  link.phone.wire->holds = true;
  link.pour(STEP);
  link.stream->shutdownWrite();
  link.settle();
  auto held = link.phone.records();
  link.phone.wire->holds = false;
  std::erase_if(
      held, [](auto& record) { return record[0] == static_cast<kj::byte>(RecordType::BULK); });
  REQUIRE(held.size() == 2);  // BULK_END and FIN
  link.inject(held);
  REQUIRE(link.endedBy() == Errc::INTEGRITY_FAILED);
}

TEST_CASE("a stream that went in BULK records ends behind its last byte") {
  Pouring link;
  link.pour(2 * STEP + 5);
  link.stream->shutdownWrite();
  link.settle();
  REQUIRE(link.drain() == 2 * STEP + 5);
  REQUIRE(link.drain() == 0);
  REQUIRE(link.stands());
}

TEST_CASE("bulk goes on in BULK records under new keys") {
  Pouring link;
  link.pour(STEP);
  link.pass(crypto::REHANDSHAKE_MAINS_S * kj::SECONDS);
  link.pour(STEP);
  link.calm();
  REQUIRE(link.phone.handshakes() == 2);
  link.pour(STEP);
  REQUIRE(count(link.phone.records(), RecordType::BULK) == 1);
  size_t got = 0;
  while (auto more = link.drain()) got += more;
  REQUIRE(got == 3 * STEP);
  REQUIRE(link.stands());
}

// ---- the machine

using Kind = LaneEvent::Kind;

struct Receiver {
  Lanes lanes{true};

  Receiver() {
    FlatWriter open;
    open.u32(2).u8(static_cast<uint8_t>(Lane::BULK)).u32(1000).var16(nullptr);
    REQUIRE(lanes.received(static_cast<uint8_t>(LaneFrame::OPEN), open.asBytes(), NOW));
  }
  Result<LaneEvent> bulk(uint64_t offset, kj::StringPtr text) {
    return lanes.receivedBulk(2, offset, text.asBytes());
  }
  Result<LaneEvent> bulkEnd(uint64_t bytes, uint32_t records) {
    FlatWriter end;
    end.u32(2).u64(bytes).u32(records);
    return lanes.received(static_cast<uint8_t>(LaneFrame::BULK_END), end.asBytes(), NOW);
  }
  Result<LaneEvent> fin() {
    FlatWriter end;
    end.u32(2);
    return lanes.received(static_cast<uint8_t>(LaneFrame::FIN), end.asBytes(), NOW);
  }
};

TEST_CASE("a chunk of BULK stands where its stream is") {
  Receiver receiver;
  REQUIRE(receiver.bulk(0, "abc")->kind == Kind::READABLE);
  REQUIRE(receiver.bulk(2, "d").error().code == Errc::INTEGRITY_FAILED);
  REQUIRE(receiver.bulk(4, "d").error().code == Errc::INTEGRITY_FAILED);
  REQUIRE(receiver.bulk(3, "d")->kind == Kind::READABLE);
  REQUIRE(receiver.lanes.receivedBulk(4, 0, nullptr).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("a chunk of BULK needs credit like any other") {
  Receiver receiver;
  auto much = kj::heapArray<kj::byte>(Lanes::WINDOW_BYTES + 1);
  REQUIRE(receiver.lanes.receivedBulk(2, 0, much).error().code == Errc::LIMIT_EXCEEDED);
}

TEST_CASE("the totals of BULK records come once, are right, and come before the end") {
  Receiver receiver;
  REQUIRE(receiver.bulk(0, "abc"));
  REQUIRE(receiver.fin().error().code == Errc::BAD_FORMAT);
  REQUIRE(receiver.bulkEnd(4, 1).error().code == Errc::INTEGRITY_FAILED);
  REQUIRE(receiver.bulkEnd(3, 2).error().code == Errc::INTEGRITY_FAILED);
  REQUIRE(receiver.bulkEnd(3, 1));
  REQUIRE(receiver.bulkEnd(3, 1).error().code == Errc::BAD_FORMAT);
  REQUIRE(receiver.bulk(3, "d").error().code == Errc::BAD_FORMAT);
  REQUIRE(receiver.fin()->kind == Kind::ENDED);
}

TEST_CASE(
    "of a lane above bulk only what is large goes in BULK records, and of live and control nothing") {
  auto lane = GENERATE(Lane::CONTROL, Lane::LIVE, Lane::INTERACTIVE, Lane::BULK);
  Lanes lanes(true);
  auto id = lanes.open(lane, nullptr).value();
  carriedFrom(lanes);  // OPEN
  auto sent = [&](size_t bytes) {
    lanes.write(id, kj::heapArray<kj::byte>(bytes));
    auto frame = lanes.next(NOW, STEP);
    return KJ_REQUIRE_NONNULL(frame).bulk ? KJ_REQUIRE_NONNULL(frame).bytes.size() : 0;
  };
  REQUIRE(sent(64) == 0);
  REQUIRE(sent(Lanes::SMALL_BULK_BYTES_LEAST - 1) == 0);
  size_t large = Lanes::SMALL_BULK_BYTES_LEAST + 1;
  REQUIRE(sent(large) == (lane == Lane::INTERACTIVE ? large - 1 : 0));
  while (lanes.next(NOW) != nullptr) {}
  REQUIRE(sent(2 * STEP) == (lane == Lane::BULK || lane == Lane::INTERACTIVE ? STEP : 0));
}

}  // namespace
}  // namespace hearth::transport

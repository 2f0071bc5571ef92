// A live link makes new keys inside its carrier: real handshakes over a pipe, time as the test says.
#include "tests/transport/circle-device.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

namespace hearth::transport {
namespace {

using crypto::RecordType;

// One end of a carrier; tells what its owner has written.
class Tapped final: public kj::AsyncIoStream {
 public:
  Tapped(kj::Own<kj::AsyncIoStream> inner, kj::Vector<kj::byte>& written)
      : inner(kj::mv(inner)),
        written(written) {}

  kj::Promise<size_t> tryRead(void* buffer, size_t minBytes, size_t maxBytes) override {
    return inner->tryRead(buffer, minBytes, maxBytes);
  }
  kj::Promise<void> write(const void* buffer, size_t size) override {
    written.addAll(kj::arrayPtr(static_cast<const kj::byte*>(buffer), size));
    return inner->write(buffer, size);
  }
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override {
    for (auto piece: pieces) written.addAll(piece);
    return inner->write(pieces);
  }
  kj::Promise<void> whenWriteDisconnected() override { return inner->whenWriteDisconnected(); }
  void shutdownWrite() override { inner->shutdownWrite(); }
  void abortRead() override { inner->abortRead(); }

 private:
  kj::Own<kj::AsyncIoStream> inner;
  kj::Vector<kj::byte>& written;
};

struct LinkEnd final: private Link::Owner {
  Device device;
  kj::Vector<kj::byte> written;
  Tapped* wire = nullptr;
  kj::Own<Link> link;
  std::vector<kj::Own<kj::AsyncIoStream>> incomingStreams;
  kj::Maybe<Error> ended;
  uint32_t nextIndex = 1;

  explicit LinkEnd(kj::byte seed): device(seed) {}

  HandshakeTools tools(kj::Timer& timer) { return {timer, device.entropy, device.guard, device}; }
  kj::Own<Carrier> carrierOver(kj::Own<kj::AsyncIoStream> stream) {
    auto tapped = kj::heap<Tapped>(kj::mv(stream), written);
    wire = tapped.get();
    return kj::heap<Carrier>(kj::mv(tapped));
  }
  void start(kj::Own<Carrier> carrier, Handshake handshake, kj::Timer& timer) {
    link = kj::heap<Link>(
        kj::mv(carrier), kj::mv(handshake), tools(timer), static_cast<Link::Owner&>(*this));
  }
  uint32_t handshakes() { return link->facts().handshakes; }

  // The records that this end has written since the last call, whole.
  std::vector<crypto::Buffer> records() {
    std::vector<crypto::Buffer> found;
    auto rest = written.asPtr();
    while (rest.size() > 0) {
      auto header = crypto::readRecordHeader(rest.slice(0, crypto::RECORD_HEADER_BYTES)).value();
      auto size = crypto::RECORD_HEADER_BYTES + header.bodyBytes;
      found.push_back(kj::heapArray<kj::byte>(rest.slice(0, size)));
      rest = rest.slice(size, rest.size());
    }
    written.clear();
    return found;
  }
  static size_t count(const std::vector<crypto::Buffer>& records, RecordType type) {
    return std::ranges::count_if(
        records, [&](auto& record) { return record[0] == static_cast<kj::byte>(type); });
  }

 private:
  void confirmed(Link&) override {}
  void incoming(Link&, kj::Array<const kj::byte>, kj::Own<kj::AsyncIoStream> stream) override {
    incomingStreams.push_back(kj::mv(stream));
  }
  void closed(Link&, Error why) override { ended = why; }
  uint32_t freshIndex() override { return nextIndex++; }
};

constexpr kj::byte HEADER[] = {2};
constexpr auto DUE = crypto::REHANDSHAKE_MAINS_S * kj::SECONDS;

// A phone that has called a laptop, and a stream from it.
struct Linked {
  kj::EventLoop loop;
  kj::WaitScope scope{loop};
  kj::TimerImpl timer{kj::origin<kj::TimePoint>() + 1 * kj::HOURS};
  LinkEnd phone{1}, laptop{2};
  kj::Own<kj::AsyncIoStream> stream;

  Linked() {
    phone.device.know(laptop.device);
    laptop.device.know(phone.device);
    auto pipe = kj::newTwoWayPipe();
    auto calling = phone.carrierOver(kj::mv(pipe.ends[0]));
    auto called = laptop.carrierOver(kj::mv(pipe.ends[1]));
    Gate gate(laptop.device.entropy, timer.now());
    auto answer = respond(laptop.tools(timer), gate, *called, laptop.nextIndex++);
    auto call =
        initiate(phone.tools(timer), *calling, laptop.device.keys.id, phone.nextIndex++, false);
    auto made = call.wait(scope).value();
    auto answered = answer.wait(scope).value();
    phone.start(kj::mv(calling), kj::mv(made), timer);
    laptop.start(kj::mv(called), kj::mv(answered), timer);
    settle();
    REQUIRE(phone.link->isUp());
    REQUIRE(laptop.link->isUp());
    stream = phone.link->open(Lane::BULK, HEADER).value();
    say("a");
    REQUIRE(hear() == "a");
    calm();
  }
  void settle() { scope.poll(); }
  void pass(kj::Duration time) {
    timer.advanceTo(timer.now() + time);
    settle();
  }
  // Until nobody waits for an answer, and what was said on the way there is forgotten.
  void calm() {
    pass(Liveness::RELAXED.pingAfter);
    forget();
  }
  void say(kj::StringPtr text) {
    stream->write(text.begin(), text.size()).wait(scope);
    settle();
  }
  std::string hear() {
    REQUIRE(laptop.incomingStreams.size() == 1);
    char text[1];
    auto reading = laptop.incomingStreams[0]->tryRead(text, 1, 1);
    REQUIRE(reading.poll(scope));
    return std::string(text, reading.wait(scope));
  }
  void forget() {
    phone.records();
    laptop.records();
  }
  bool stands() { return phone.ended == nullptr && laptop.ended == nullptr; }
};

TEST_CASE("before its keys are due a link makes no new ones") {
  Linked two;
  two.pass(DUE - 1 * kj::SECONDS);
  two.say("b");
  REQUIRE(two.hear() == "b");
  REQUIRE(two.phone.handshakes() == 1);
}

TEST_CASE("whoever sends under keys that are due makes new ones, inside the carrier") {
  Linked two;
  two.pass(DUE);
  two.say("b");
  REQUIRE(two.hear() == "b");
  REQUIRE(two.stands());
  REQUIRE(two.phone.handshakes() == 2);
  REQUIRE(two.laptop.handshakes() == 2);
  REQUIRE(LinkEnd::count(two.phone.records(), RecordType::HS_INIT) == 1);
  REQUIRE(LinkEnd::count(two.laptop.records(), RecordType::HS_RESP) == 1);
  two.say("c");
  REQUIRE(two.hear() == "c");
  REQUIRE(two.phone.link->facts().keysAge == 0 * kj::SECONDS);
}

TEST_CASE("an idle link makes no new keys, and says nothing for hours") {
  Linked two;
  for (int i = 0; i < 8; ++i) two.pass(DUE / 2);
  REQUIRE(two.phone.records().empty());
  REQUIRE(two.laptop.records().empty());
  REQUIRE(two.stands());
}

TEST_CASE("a link whose keys have expired makes new ones before it says anything") {
  Linked two;
  two.pass(5 * DUE);
  two.say("b");
  REQUIRE(two.hear() == "b");
  REQUIRE(two.stands());
  auto records = two.phone.records();
  REQUIRE(records.front()[0] == static_cast<kj::byte>(RecordType::HS_INIT));
  REQUIRE(two.laptop.handshakes() == 2);
}

TEST_CASE("the side that was called makes new keys as well as the one that called") {
  Linked two;
  two.pass(DUE);
  two.laptop.link->sendNews();
  two.settle();
  REQUIRE(LinkEnd::count(two.laptop.records(), RecordType::HS_INIT) == 1);
  REQUIRE(two.phone.handshakes() == 2);
  REQUIRE(two.laptop.handshakes() == 2);
  REQUIRE(two.stands());
}

TEST_CASE("both making new keys at once leaves one pair of keys that works") {
  for (auto age: {DUE, 5 * DUE}) {
    Linked two;
    two.pass(age);
    two.phone.link->sendNews();
    two.laptop.link->sendNews();
    two.settle();
    REQUIRE(two.stands());
    auto fromPhone = two.phone.records(), fromLaptop = two.laptop.records();
    REQUIRE(LinkEnd::count(fromPhone, RecordType::HS_INIT) == 1);
    REQUIRE(LinkEnd::count(fromLaptop, RecordType::HS_INIT) == 1);
    REQUIRE(LinkEnd::count(fromPhone, RecordType::HS_RESP) +
            LinkEnd::count(fromLaptop, RecordType::HS_RESP) ==
        1);
    bool phoneIsSmaller = two.phone.device.keys.id < two.laptop.device.keys.id;
    REQUIRE(LinkEnd::count(fromLaptop, RecordType::HS_RESP) == (phoneIsSmaller ? 1 : 0));
    REQUIRE(two.phone.handshakes() == 2);
    REQUIRE(two.laptop.handshakes() == 2);
    two.say("b");
    REQUIRE(two.hear() == "b");
  }
}

TEST_CASE("new keys are made with the epoch of the day") {
  Linked two;
  two.phone.device.epoch.bytes[0] = two.laptop.device.epoch.bytes[0] = 2;
  two.pass(DUE);
  two.say("b");
  REQUIRE(two.laptop.handshakes() == 2);
}

TEST_CASE("a peer with another epoch gets no new keys, and none that is no longer active") {
  for (bool removed: {false, true}) {
    Linked two;
    if (removed) {
      two.laptop.device.members[two.phone.device.keys.id].standing = Circle::Standing::GONE;
    } else {
      two.laptop.device.epoch.bytes[0] = 2;
    }
    two.pass(DUE);
    two.say("b");
    REQUIRE(two.hear() == "b");  // the old ones have not expired
    auto records = two.laptop.records();
    REQUIRE(LinkEnd::count(records, RecordType::HS_RESP) == 0);
    REQUIRE(LinkEnd::count(two.phone.records(), RecordType::HS_INIT) == 1);
    REQUIRE(two.phone.handshakes() == 1);
    for (int i = 0; i < 100 && two.phone.ended == nullptr; ++i) two.pass(1 * kj::SECONDS);
    REQUIRE(KJ_REQUIRE_NONNULL(two.phone.ended).code == Errc::KEYS_EXPIRED);
  }
}

TEST_CASE("a side does not call for new keys where the peer is no longer active") {
  Linked two;
  two.phone.device.members[two.laptop.device.keys.id].standing = Circle::Standing::SUSPENDED;
  two.pass(DUE);
  two.say("b");
  REQUIRE(LinkEnd::count(two.phone.records(), RecordType::HS_INIT) == 0);
}

TEST_CASE(
    "T1: message 1 that comes a second time is dropped without an answer, and nothing changes") {
  Linked two;
  two.pass(DUE);
  two.say("b");
  auto records = two.phone.records();
  auto init = std::ranges::find_if(records,
      [](auto& record) { return record[0] == static_cast<kj::byte>(RecordType::HS_INIT); });
  REQUIRE(init != records.end());
  two.pass(Liveness::RELAXED.pingAfter);
  two.pass(1 * kj::SECONDS);
  two.forget();
  two.phone.wire->write(init->begin(), init->size()).wait(two.scope);
  two.settle();
  REQUIRE(two.laptop.records().empty());
  REQUIRE(two.laptop.handshakes() == 2);
  two.say("c");
  REQUIRE(two.hear() == "b");
  REQUIRE(two.hear() == "c");
}

TEST_CASE("T1: a DATA record that comes a second time ends the link without an answer") {
  Linked two;
  two.say("b");
  auto records = two.phone.records();
  auto data = kj::mv(records.front());
  two.calm();
  two.phone.wire->write(data.begin(), data.size()).wait(two.scope);
  two.settle();
  REQUIRE(KJ_REQUIRE_NONNULL(two.laptop.ended).code == Errc::DECRYPT_FAILED);
  REQUIRE(two.laptop.records().empty());
}

TEST_CASE("a record under keys that were replaced is refused") {
  Linked two;
  two.say("b");
  auto records = two.phone.records();
  auto old = kj::mv(records.front());
  two.calm();
  two.pass(DUE);
  two.say("c");
  REQUIRE(two.laptop.handshakes() == 2);
  two.phone.wire->write(old.begin(), old.size()).wait(two.scope);
  two.settle();
  REQUIRE(KJ_REQUIRE_NONNULL(two.laptop.ended).code == Errc::KEYS_EXPIRED);
}

TEST_CASE("T14: both sides change their key every 16,384 records, and the link goes on") {
  Linked two;
  size_t records = 0;
  while (records < 2 * crypto::REKEY_EVERY + 10) {
    two.say("x");
    REQUIRE(two.hear() == "x");
    records += LinkEnd::count(two.phone.records(), RecordType::DATA);
    two.laptop.records();
  }
  REQUIRE(two.stands());
  REQUIRE(two.phone.handshakes() == 1);
}

}  // namespace
}  // namespace hearth::transport

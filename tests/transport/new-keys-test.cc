// A live link makes new keys inside its carrier.
#include "tests/transport/linked.h"

namespace hearth::transport {
namespace {

using crypto::RecordType;

constexpr auto DUE = crypto::REHANDSHAKE_MAINS_S * kj::SECONDS;

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
  auto data = two.sayAndKeep("b");
  two.phone.wire->write(data.begin(), data.size()).wait(two.scope);
  two.settle();
  REQUIRE(KJ_REQUIRE_NONNULL(two.laptop.ended).code == Errc::DECRYPT_FAILED);
  REQUIRE(two.laptop.records().empty());
}

TEST_CASE("a record under keys that were replaced is refused") {
  Linked two;
  auto old = two.sayAndKeep("b");
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

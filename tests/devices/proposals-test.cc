// What waits for a second admin: who may ask, who may sign what, and how it ends.

#include "tests/devices/two-admins.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::devices {
namespace {

TEST_CASE("an op that two admins have agreed to is signed by both, and applies") {
  TwoAdmins circle;
  auto id = circle.askAndTell(circle.promotion());
  REQUIRE(circle.asked.answer(*circle.laptop.log, id, true).has_value());
  REQUIRE(circle.asking.answered(circle.laptop.keys.id, id, true) == true);
  auto op = circle.draft(circle.promotion());
  REQUIRE(circle.mayCosign(id, op).has_value());
  auto cosigned = crypto::sign(circle.laptop.keys.ed, crypto::SigType::OP, op.body());
  auto sealed = crypto::sealOp(op, circle.phone.keys.ed, kj::arrayPtr(&cosigned, 1));
  circle.phone.take(sealed);
  REQUIRE(circle.phone.roleOf(circle.watch) == Role::ADMIN);
  REQUIRE(circle.asking.settle(*circle.phone.log, circle.now) == std::vector{id});
  REQUIRE(isDone(circle.phone.log->state(), circle.promotion()));
}

TEST_CASE("nothing is signed that the user has not agreed to") {
  TwoAdmins circle;
  auto id = circle.askAndTell(circle.promotion());
  auto op = circle.draft(circle.promotion());
  SECTION("before it has answered") {}
  SECTION("after it has refused") {
    REQUIRE(circle.asked.answer(*circle.laptop.log, id, false).has_value());
  }
  SECTION("when the op says something else") {
    REQUIRE(circle.asked.answer(*circle.laptop.log, id, true).has_value());
    op = circle.draft(crypto::SetRolePayload{circle.laptop.keys.id, Role::MEMBER});
  }
  SECTION("when a third one is to sign, too") {
    REQUIRE(circle.asked.answer(*circle.laptop.log, id, true).has_value());
    op.cosigners.push_back(circle.watch.keys.id);
    std::ranges::sort(op.cosigners);
  }
  SECTION("when another admin is its author") {
    REQUIRE(circle.asked.answer(*circle.laptop.log, id, true).has_value());
    op.author = circle.watch.keys.id;
  }
  REQUIRE(circle.mayCosign(id, op).error().code == Errc::NOT_AUTHORISED);
}

TEST_CASE("an op that leaves out what is known here is not signed") {
  TwoAdmins circle;
  auto id = circle.askAndTell(circle.promotion());
  REQUIRE(circle.asked.answer(*circle.laptop.log, id, true).has_value());
  auto op = circle.draft(circle.promotion());
  circle.laptop.say(crypto::MinSuitePayload{1}, {&circle.phone});
  REQUIRE(circle.mayCosign(id, op).error().code == Errc::STALE);
}

TEST_CASE("what has become impossible by now is not signed") {
  TwoAdmins circle;
  auto id = circle.askAndTell(circle.promotion());
  REQUIRE(circle.asked.answer(*circle.laptop.log, id, true).has_value());
  SECTION("its target was removed") {
    circle.laptop.remove(circle.watch);
    circle.phone.takeAll(circle.laptop);
  }
  SECTION("who asks was removed") { circle.laptop.remove(circle.phone); }
  auto op = circle.draft(circle.promotion());
  REQUIRE(circle.mayCosign(id, op).error().code == Errc::NOT_AUTHORISED);
}

TEST_CASE("what a removed admin has asked is let go of") {
  TwoAdmins circle;
  circle.askAndTell(circle.promotion());
  circle.laptop.remove(circle.phone);
  circle.asked.settle(*circle.laptop.log, circle.now);
  REQUIRE(circle.asked.empty());
}

TEST_CASE("the same question twice is one") {
  TwoAdmins circle;
  auto first = circle.ask(circle.promotion()).value();
  REQUIRE(circle.ask(circle.promotion()).value() == first);
  REQUIRE(circle.asking.ofSelf().size() == 1);
}

TEST_CASE("an admin agrees to no question of its own") {
  TwoAdmins circle;
  Proposal own{circle.phone.log->circle(), circle.phone.keys.id, {}, circle.promotion()};
  REQUIRE(
      own.checkIn(*circle.phone.log, circle.phone.keys.id).error().code == Errc::NOT_AUTHORISED);
}

TEST_CASE("who is no admin asks nothing, and is not asked") {
  TwoAdmins circle;
  Proposal byMember{circle.phone.log->circle(), circle.watch.keys.id, {},
      crypto::SetRolePayload{circle.watch.keys.id, Role::ADMIN}};
  REQUIRE(byMember.checkIn(*circle.laptop.log, circle.laptop.keys.id).error().code ==
      Errc::NOT_AUTHORISED);
  REQUIRE(byMember.checkIn(*circle.laptop.log, circle.phone.keys.id).error().code ==
      Errc::NOT_AUTHORISED);
}

TEST_CASE("what takes one admin alone is no question") {
  TwoAdmins circle;
  auto removal = crypto::RemovePayload{.target = circle.watch.keys.id};
  REQUIRE(circle.ask(removal).error().code == Errc::NOT_AUTHORISED);
}

TEST_CASE("a question that nobody answers is over after seven days of running") {
  TwoAdmins circle;
  auto id = circle.askAndTell(circle.promotion());
  circle.now += Proposals::LIVES - 1 * kj::SECONDS;
  REQUIRE(circle.asking.settle(*circle.phone.log, circle.now).empty());
  circle.now += 1 * kj::SECONDS;
  REQUIRE(circle.asking.settle(*circle.phone.log, circle.now) == std::vector{id});
  circle.asked.settle(*circle.laptop.log, circle.now);
  REQUIRE(circle.asked.empty());
}

TEST_CASE("what is left of a question's time is kept over a restart") {
  TwoAdmins circle;
  auto id = circle.askAndTell(circle.promotion());
  REQUIRE(circle.asked.answer(*circle.laptop.log, id, true).has_value());
  REQUIRE(circle.asking.answered(circle.laptop.keys.id, id, true) == true);
  circle.now += Proposals::LIVES - 1 * kj::HOURS;
  auto later = BEGINNING + 1 * kj::SECONDS;  // the other process counts from another moment
  auto asking = Proposals::decode(circle.phone.keys.id, circle.asking.encode(circle.now), later);
  auto asked = Proposals::decode(circle.laptop.keys.id, circle.asked.encode(circle.now), later);
  REQUIRE(asking.value().ofSelf().at(id).answers.at(circle.laptop.keys.id));
  REQUIRE(asked.value().ofOthers().at(id).answer == Proposals::Answer::AGREES);
  REQUIRE(asking.value().settle(*circle.phone.log, later + 59 * kj::MINUTES).empty());
  REQUIRE(asking.value().settle(*circle.phone.log, later + 1 * kj::HOURS) == std::vector{id});
}

TEST_CASE("what is cut short on the disk is refused") {
  TwoAdmins circle;
  circle.askAndTell(circle.promotion());
  auto whole = circle.asking.encode(circle.now);
  for (size_t size = 0; size < whole.size(); ++size) {
    REQUIRE_FALSE(
        Proposals::decode(circle.phone.keys.id, whole.slice(0, size), circle.now).has_value());
  }
}

TEST_CASE("what an admin does not ask any more is forgotten, the answer to the rest is not") {
  TwoAdmins circle;
  crypto::Device box(8);
  circle.phone.add(box, Role::MEMBER);
  circle.laptop.takeAll(circle.phone);
  auto kept = circle.askAndTell(circle.promotion());
  auto dropped = circle.askAndTell(crypto::SetRolePayload{box.keys.id, Role::ADMIN});
  REQUIRE(circle.asked.ofOthers().size() == 2);
  REQUIRE(circle.asked.answer(*circle.laptop.log, kept, true).has_value());
  circle.asking.takeBack(dropped);
  circle.tell();
  REQUIRE(circle.asked.ofOthers().size() == 1);
  REQUIRE(circle.asked.ofOthers().at(kept).answer == Proposals::Answer::AGREES);
}

TEST_CASE("an admin that asks without end fills its own share alone") {
  TwoAdmins circle;
  std::vector<crypto::Buffer> many;
  for (uint8_t i = 0; i < 100; ++i) {
    crypto::ProposalNonce nonce;
    nonce.bytes[0] = i;
    many.push_back(
        Proposal{circle.phone.log->circle(), circle.phone.keys.id, nonce, circle.promotion()}
            .encode());
  }
  for (auto& one: many) {
    std::vector<crypto::Bytes> open = {one};
    circle.asked.asked(circle.phone.keys.id, open, circle.now);
    REQUIRE(circle.asked.ofOthers().size() == 1);
  }
  circle.asked.asked(
      circle.phone.keys.id, std::vector<crypto::Bytes>(many.begin(), many.end()), circle.now);
  REQUIRE(circle.asked.ofOthers().size() == Proposals::OF_ADMIN_MAX);
}

TEST_CASE("a device asks no fifth question while four wait") {
  TwoAdmins circle;
  auto promote = [&](uint8_t seed) {
    crypto::Device member(seed);
    circle.phone.add(member, Role::MEMBER);
    return circle.ask(crypto::SetRolePayload{member.keys.id, Role::ADMIN});
  };
  auto first = circle.ask(circle.promotion()).value();
  for (uint8_t i = 1; i < Proposals::OWN_MAX; ++i) REQUIRE(promote(20 + i).has_value());
  REQUIRE(promote(30).error().code == Errc::LIMIT_EXCEEDED);
  REQUIRE(circle.ask(circle.promotion()).value() == first);
  circle.asking.takeBack(first);
  REQUIRE(promote(31).has_value());
}

TEST_CASE("many admins that ask at once fill no more than the place that all have") {
  TwoAdmins circle;
  constexpr uint8_t ADMINS = Proposals::OF_OTHERS_MAX / Proposals::OF_ADMIN_MAX + 1;
  for (uint8_t admin = 0; admin < ADMINS; ++admin) {
    DeviceId id;
    id.bytes[0] = admin;
    std::vector<crypto::Buffer> asks;
    for (uint8_t i = 0; i < Proposals::OF_ADMIN_MAX; ++i) {
      crypto::ProposalNonce nonce;
      nonce.bytes[0] = i;
      asks.push_back(Proposal{circle.phone.log->circle(), id, nonce, circle.promotion()}.encode());
    }
    circle.asked.asked(id, std::vector<crypto::Bytes>(asks.begin(), asks.end()), circle.now);
  }
  REQUIRE(circle.asked.ofOthers().size() == Proposals::OF_OTHERS_MAX);
}

TEST_CASE("all that may wait fits its place on the disk") {
  constexpr size_t SETTING_BYTES_MAX = 64 << 10;
  REQUIRE((Proposals::OWN_MAX + Proposals::OF_OTHERS_MAX) * (Proposal::BYTES_MAX + 64) +
          Proposals::OWN_MAX * 16 * 33 <
      SETTING_BYTES_MAX);
}

TEST_CASE(
    "the beginning of an id that two questions share names neither, and a longer one names its own") {
  ProposalId one, other;
  for (auto* id: {&one, &other}) id->bytes[0] = 0xab, id->bytes[1] = 0xcd;
  one.bytes[2] = 0x12;
  other.bytes[2] = 0x1f;
  std::vector waiting = {one, other};
  for (auto* shared: {"abcd", "abcd1"})
    REQUIRE(meant(waiting, shared).error().code == Errc::BAD_FORMAT);
  REQUIRE(meant(waiting, "abcd12").value() == one);
  REQUIRE(meant(waiting, "abcd1f").value() == other);
  REQUIRE(meant(waiting, "abce").error().code == Errc::UNKNOWN_PEER);
  REQUIRE(meant(waiting, "abc").error().code == Errc::BAD_FORMAT);
}

TEST_CASE("a device asks nothing of itself") {
  TwoAdmins circle;
  auto own = Proposal{circle.phone.log->circle(), circle.laptop.keys.id, {}, circle.promotion()};
  auto bytes = own.encode();
  REQUIRE_FALSE(circle.asked.asked(circle.laptop.keys.id, {bytes}, circle.now));
  REQUIRE(circle.asked.empty());
}

TEST_CASE("what is asked or answered once more is no change, and goes to no disk") {
  TwoAdmins circle;
  auto id = circle.ask(circle.promotion()).value();
  auto open = circle.asking.open();
  std::vector<crypto::Bytes> asks(open.begin(), open.end());
  REQUIRE(circle.asked.asked(circle.phone.keys.id, asks, circle.now));
  REQUIRE_FALSE(circle.asked.asked(circle.phone.keys.id, asks, circle.now));
  REQUIRE(circle.asking.answered(circle.laptop.keys.id, id, true) == true);
  REQUIRE(circle.asking.answered(circle.laptop.keys.id, id, true) == false);
  REQUIRE(circle.asking.answered(circle.laptop.keys.id, id, false) == true);
  REQUIRE(
      circle.asking.answered(circle.laptop.keys.id, {}, true).error().code == Errc::UNKNOWN_PEER);
}

TEST_CASE("a question in another's name is left out") {
  TwoAdmins circle;
  auto forged =
      Proposal{circle.phone.log->circle(), circle.laptop.keys.id, {}, circle.promotion()}.encode();
  std::vector<crypto::Bytes> open = {forged};
  circle.asked.asked(circle.phone.keys.id, open, circle.now);
  REQUIRE(circle.asked.empty());
}

TEST_CASE("one agreement is good for eight signatures") {
  TwoAdmins circle;
  auto id = circle.askAndTell(circle.promotion());
  REQUIRE(circle.asked.answer(*circle.laptop.log, id, true).has_value());
  auto op = circle.draft(circle.promotion());
  for (int i = 0; i < Proposals::SIGNATURES_MAX; ++i) REQUIRE(circle.mayCosign(id, op).has_value());
  REQUIRE(circle.mayCosign(id, op).error().code == Errc::LIMIT_EXCEEDED);
}

TEST_CASE("an Add that grants secrets to somebody else is not what was agreed to") {
  TwoAdmins circle;
  crypto::Device tablet(9), thief(10);
  crypto::Join join{
      circle.phone.log->circle(), tablet.bundle.hash(), circle.phone.keys.id, Role::ADMIN};
  auto copy = [](const crypto::Buffer& bytes) {
    return std::vector<kj::byte>(bytes.begin(), bytes.end());
  };
  crypto::AddPayload add{.bundleEnvelope = copy(tablet.bundle.seal(tablet.keys)),
      .role = Role::ADMIN,
      .joinEnvelope = copy(join.seal(tablet.keys))};
  auto id = circle.askAndTell(add);
  REQUIRE(circle.asked.answer(*circle.laptop.log, id, true).has_value());
  auto op = crypto::draftAdd(*circle.phone.log, circle.phone.epochs, circle.phone.keys.id,
      {circle.laptop.keys.id}, add, 1, circle.phone.entropy)
                .value();
  auto said = std::get<crypto::AddPayload>(
      crypto::decodePayload(op.kind, crypto::view(op.payload)).value());
  REQUIRE(said.grants.size() == 1);
  REQUIRE(circle.mayCosign(id, op).has_value());
  said.grants[0].seal.recipient = thief.keys.id;
  op.payload = crypto::encode(Payload(said));
  REQUIRE(circle.mayCosign(id, op).error().code == Errc::NOT_AUTHORISED);
}

TEST_CASE("a proposal that is damaged, too long, or of what nobody cosigns is refused") {
  TwoAdmins circle;
  Proposal good{circle.phone.log->circle(), circle.phone.keys.id, {}, circle.promotion()};
  auto bytes = good.encode();
  REQUIRE(Proposal::decode(bytes).value().id() == good.id());
  for (size_t size = 0; size < bytes.size(); ++size)
    REQUIRE_FALSE(Proposal::decode(bytes.slice(0, size)).has_value());
  auto other = kj::heapArray<kj::byte>(bytes);
  other[0] = 2;
  REQUIRE(Proposal::decode(other).error().code == Errc::BAD_VERSION);
  REQUIRE(Proposal::decode(kj::heapArray<kj::byte>(Proposal::BYTES_MAX + 1)).error().code ==
      Errc::BAD_LENGTH);
  good.payload = crypto::LeavePayload();
  REQUIRE(Proposal::decode(good.encode()).error().code == Errc::BAD_FORMAT);
  good.payload = crypto::PolicySetPayload{1, std::vector<kj::byte>(80)};
  REQUIRE(Proposal::decode(good.encode()).error().code == Errc::BAD_FORMAT);
  good.payload = crypto::RemovePayload{.target = circle.watch.keys.id, .lastSeq = 1};
  REQUIRE(Proposal::decode(good.encode()).error().code == Errc::BAD_FORMAT);
}

}  // namespace
}  // namespace hearth::devices

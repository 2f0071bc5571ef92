// What waits for the signature of a second admin: its bytes on the wire and on the disk, and the machine
// that is asked, agrees and signs, between an admin that says what the input says and a user who says
// anything. The phone signs nothing that its user has not agreed to, and holds no more than it may.

#include "crypto/membership/authority.h"
#include "tests/fuzz/questions.h"

#include <map>

namespace hearth::fuzz {
namespace {

using devices::Proposals;

const DeviceId& idOf(size_t device) { return Circle::get().devices[device].id; }

// What stands in one is all that is in its bytes, and no question of it does harm.
void expectWhole(Bytes bytes) {
  auto read = Proposal::decode(bytes);
  if (!read) return;
  expect(read->encode() == bytes);
  expect(encode(Proposal::agreedForm(read->payload)) == encode(read->payload));
  (void)devices::targetOf(read->payload);
  auto log = Circle::get().base();
  (void)devices::isDone(log.state(), read->payload);
  for (auto device: {Questions::ASKED, Questions::WATCH}) (void)read->checkIn(log, idOf(device));
}

void raw(FlatReader& in) { expectWhole(in.remaining()); }

void changed(FlatReader& in) {
  auto which = in.u8();
  auto proposal = Questions::get().proposal(which, Circle::get().author(in.u8()));
  expectWhole(damaged(proposal.encode(), in));
}

void expectBounded(const Proposals& all) {
  expect(all.ofSelf().size() <= Proposals::OWN_MAX);
  expect(all.ofOthers().size() <= Proposals::OF_OTHERS_MAX);
  std::map<DeviceId, size_t> ofAdmin;
  for (auto& [id, asked]: all.ofOthers()) {
    expect(asked.proposal.id() == id && asked.signatures <= Proposals::SIGNATURES_MAX);
    ++ofAdmin[asked.proposal.author];
  }
  for (auto& [admin, count]: ofAdmin) expect(count <= Proposals::OF_ADMIN_MAX);
  for (auto& [id, asked]: all.ofSelf()) expect(asked.answers.size() <= ADMINS_MAX);
}

// What was on the disk and is taken is bounded, and goes back as it came.
void stored(Bytes bytes) {
  auto now = kj::origin<kj::TimePoint>();
  auto read = Proposals::decode(idOf(Questions::ASKED), bytes, now);
  if (!read) return;
  expectBounded(*read);
  auto once = read->encode(now);
  auto again = Proposals::decode(idOf(Questions::ASKED), once, now);
  expect(again.has_value() && again->encode(now) == once);
  (void)read->settle(Circle::get().base(), now + Proposals::LIVES);
  expect(read->empty());
}

void storedRaw(FlatReader& in) { stored(in.remaining()); }

// Own questions and those of the other admin, with answers.
Buffer goodStore() {
  auto& questions = Questions::get();
  auto log = Circle::get().base();
  auto now = kj::origin<kj::TimePoint>();
  Proposals all(idOf(Questions::ASKED));
  auto own = all.ask(log, questions.payload(0), {}, now).value();
  expect(all.answered(idOf(Questions::ASKING), own, true) == true);
  auto one = questions.proposal(1, idOf(Questions::ASKING)),
       two = questions.proposal(2, idOf(Questions::ASKING));
  auto first = one.encode(), second = two.encode();
  all.asked(idOf(Questions::ASKING), {first, second}, now);
  expect(all.answer(log, one.id(), true).has_value());
  return all.encode(now);
}

void storedChanged(FlatReader& in) {
  static const auto good = goodStore();
  stored(damaged(good, in));
}

// One device through a life of questions.
class Life final {
 public:
  explicit Life(FlatReader& in): in(in) {}

  void step() {
    auto what = in.u8() % 9;
    if (what == 0) ask();
    if (what == 1) hearQuestions();
    if (what == 2) decide();
    if (what == 3) sign();
    if (what == 4) hearAnswer();
    if (what == 5) takeBack();
    if (what == 6) passTime();
    if (what == 7) restart();
    if (what == 8) circleChanges();
    expectBounded(all);
  }

 private:
  FlatReader& in;
  const Circle& circle = Circle::get();
  MembershipLog log = circle.base();
  Proposals all{idOf(Questions::ASKED)};
  std::set<ProposalId> agreed;  // by the user, to what it was shown
  kj::TimePoint now = kj::origin<kj::TimePoint>();

  ProposalId someId() {
    std::vector<ProposalId> known;
    for (auto& [id, asked]: all.ofSelf()) known.push_back(id);
    for (auto& [id, asked]: all.ofOthers()) known.push_back(id);
    auto which = in.u8();
    return which < known.size() ? known[which] : ProposalId();
  }
  void ask() {
    ProposalNonce nonce;
    nonce.bytes[0] = in.u8();
    (void)all.ask(log, Questions::get().payload(in.u8()), nonce, now);
  }
  void hearQuestions() {
    auto& from = circle.author(in.u8());
    std::vector<Buffer> said;
    auto count = in.u8() % 8;
    for (int i = 0; i < count; ++i) {
      auto which = in.u8();
      auto good = Questions::get().proposal(which, which >= 128 ? circle.author(in.u8()) : from);
      said.push_back(damaged(good.encode(), in));
    }
    all.asked(from, {said.begin(), said.end()}, now);
    for (auto& [id, asked]: all.ofOthers()) expect(asked.proposal.author != idOf(Questions::ASKED));
    std::erase_if(agreed, [&](auto& id) { return !all.ofOthers().contains(id); });
  }
  void decide() {
    auto id = someId();
    bool agrees = in.u8() % 2 == 1;
    if (!all.answer(log, id, agrees)) return;
    if (agrees)
      agreed.insert(id);
    else
      agreed.erase(id);
  }
  // A body that says what some question says, or the input's own, by anybody with anybody.
  void sign() {
    auto id = someId();
    auto& admin = circle.author(in.u8());
    auto op =
        draftChange(log, admin, {idOf(Questions::ASKED)}, Questions::get().payload(in.u8()), 1);
    auto body = Op::parse(damaged(op.body(), in));
    if (!body || !all.mayCosign(log, circle.epochs, admin, id, *body)) return;
    expect(agreed.contains(id) && body->author == admin);
    expect(body->cosigners == std::vector{idOf(Questions::ASKED)});
    auto& asked = all.ofOthers().at(id);
    expect(asked.proposal.author == admin &&
        asked.proposal.isSaidBy(*body, idOf(Questions::ASKED), circle.epochs));
  }
  void hearAnswer() {
    auto& from = circle.author(in.u8());
    (void)all.answered(from, someId(), in.u8() % 2 == 1);
  }
  void takeBack() { all.takeBack(someId()); }
  void passTime() {
    now += in.u16() * kj::MINUTES;
    (void)all.settle(log, now);
  }
  void restart() {
    auto kept = all.encode(now);
    now = kj::origin<kj::TimePoint>();
    auto read = Proposals::decode(idOf(Questions::ASKED), kept, now);
    expect(read.has_value() && read->ofOthers().size() == all.ofOthers().size());
    expect(read->ofSelf().size() == all.ofSelf().size());
    all = kj::mv(*read);
  }
  // A removal, a role, an epoch: what was asked may be over, or not be possible any more.
  void circleChanges() {
    auto& ops = circle.ops;
    (void)log.add(view(ops[Circle::BASE_OPS + in.u8() % (ops.size() - Circle::BASE_OPS)].envelope));
    (void)all.settle(log, now);
  }
};

void life(FlatReader& in) {
  constexpr size_t STEPS_MAX = 48;
  Life device(in);
  for (size_t i = 0; i < STEPS_MAX && in.good() && in.remaining().size() > 0; ++i) device.step();
}

constexpr void (*WAYS[])(FlatReader&) = {raw, changed, storedRaw, storedChanged, life};

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return hearth::fuzz::goOneOf(hearth::fuzz::WAYS, data, size);
}

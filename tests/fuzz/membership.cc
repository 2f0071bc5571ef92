// F4: membership ops, their envelopes and payloads, bundles and joins, the log that judges them, and
// the exchange that keeps two logs equal. Signatures hold wherever the judging code is to be reached.

#include "crypto/membership/exchange.h"
#include "tests/fuzz/circle.h"

namespace hearth::fuzz {
namespace {

// All that a log says of itself.
void ask(const MembershipLog& log) {
  auto& circle = Circle::get();
  auto& state = log.state();
  (void)state.hash();
  (void)state.epochDue();
  (void)epochRecipients(state);
  (void)log.revoked();
  (void)log.newestByAuthor();
  (void)log.envelopesBeyond({log.heads()});
  for (auto& device: circle.devices) (void)log.envelopesForRemoved(device.id);
  EpochKeys epochs;
  epochs.learn(log, circle.devices[2]);
  (void)epochs.linkPsk(log, circle.devices[2].id, circle.devices[0].id);
  expect(log.size() <= MembershipLog::OPS_MAX);
}

void rawOp(FlatReader& in) {
  auto log = Circle::get().base();
  if (auto op = SealedOp::open(in.remaining())) {
    auto parsed = Op::parse(op->op.body());
    expect(parsed.has_value() && opHash(parsed->body()) == op->hash);
  }
  if (log.add(in.remaining())) ask(log);
}

// A real op whose body was changed and signed again by those that it names.
void changedOp(FlatReader& in) {
  auto& circle = Circle::get();
  auto place = in.u8() % circle.ops.size();
  auto op = Op::parse(damaged(circle.ops[place].op.body(), in));
  if (!op) return;
  auto log = circle.logs[place];
  if (log.add(view(circle.seal(*op).envelope))) ask(log);
}

void payload(FlatReader& in) {
  auto kind = static_cast<OpKind>(in.u8() % 18);
  if (auto decoded = decodePayload(kind, in.remaining())) {
    expect(kindOf(*decoded) == kind && view(encode(*decoded)) == in.remaining());
    (void)bundleEnvelopeIn(*decoded);
    (void)grantsIn(*decoded);
  }
}

void changedPayload(FlatReader& in) {
  auto& op = Circle::get().ops[in.u8() % Circle::get().ops.size()].op;
  auto changed = damaged(view(op.payload), in);
  if (auto decoded = decodePayload(op.kind, changed)) expect(view(encode(*decoded)) == changed);
}

void bundle(FlatReader& in) {
  auto& keys = Circle::get().devices[0];
  auto body = damaged(Circle::get().bundles[0].body(), in);
  if (auto parsed = Bundle::parse(body)) expect(parsed->body() == body);
  auto opened = Bundle::open(sealEnvelope(SigType::BUNDLE, body, keys.id, keys.ed));
  if (opened) expect(opened->id() == keys.id);
  (void)Bundle::open(in.remaining());
}

void join(FlatReader& in) {
  auto& circle = Circle::get();
  auto& keys = circle.devices[2];
  auto body = damaged(
      Join{circle.log().circle(), circle.bundles[2].hash(), circle.devices[0].id, Role::MEMBER}
          .body(),
      in);
  auto envelope = sealEnvelope(SigType::JOIN, body, keys.id, keys.ed);
  if (auto opened = Join::open(envelope, circle.bundles[2])) expect(opened->body() == body);
  (void)Join::open(in.remaining(), circle.bundles[2]);
}

// An op like one of the real ones, on top of what `log` holds.
SealedOp written(const MembershipLog& log, FlatReader& in) {
  auto& circle = Circle::get();
  auto& like = circle.ops[in.u8() % circle.ops.size()].op;
  auto op = log.draft(circle.author(in.u8()));
  op.kind = like.kind;
  auto how = in.u8();
  if ((how & 1) != 0) op.cosigners = {circle.author(in.u8())};
  if ((how & 2) != 0) op.seq += in.u8(), op.prevOwn = {};
  if ((how & 4) != 0) op.lamport += in.u8();
  auto payload = (how & 8) != 0 ? damaged(view(like.payload), in)
                                : kj::heapArray<kj::byte>(view(like.payload));
  // Remove and its like name a device: any of them.
  if ((how & 16) != 0 && payload.size() >= DeviceId::SIZE)
    memcpy(payload.begin(), circle.author(in.u8()).bytes, DeviceId::SIZE);
  op.payload.assign(payload.begin(), payload.end());
  return circle.seal(op);
}

// Two replicas whose devices write beside each other, and what each has written comes to the other
// late, in another order. In the end both know the same, and say the same.
void history(FlatReader& in) {
  constexpr size_t STEPS_MAX = 24;
  MembershipLog replicas[] = {Circle::get().base(), Circle::get().base()};
  std::vector<SealedOp> heard[2];
  for (size_t step = 0; step < STEPS_MAX && in.good() && in.remaining().size() > 0; ++step) {
    auto side = in.u8() % 2;
    auto op = written(replicas[side], in);
    auto taken = replicas[side].add(view(op.envelope));
    if (taken) heard[1 - side].push_back(kj::mv(op));
  }
  for (size_t side = 0; side < 2; ++side) {
    auto& ops = heard[side];
    for (size_t i = ops.size(); i > 0; --i) (void)replicas[side].add(view(ops[i - 1].envelope));
  }
  expect(replicas[0].state().hash() == replicas[1].state().hash());
  expect(replicas[0].heads() == replicas[1].heads());
  ask(replicas[0]);
}

// A peer, or a stranger, that sends what the input says, cut anywhere.
void exchange(FlatReader& in) {
  auto& circle = Circle::get();
  auto log = circle.base();
  auto who = in.u8();
  LogExchange machine(log, circle.author(who), (who & 128) != 0);
  (void)machine.heads();
  while (in.good() && in.remaining().size() > 0) {
    auto what = in.u8() % 5;
    Result<LogExchange::Step> step = LogExchange::Step();
    if (what == 0) step = machine.confirmed(in.var16());
    if (what == 1) step = machine.received(in.var16());
    if (what == 2) (void)machine.news();
    if (what == 3) {  // an op that is new
      auto& op = circle.ops[in.u8() % circle.ops.size()];
      step = machine.received(writeMessage(3, damaged(view(op.envelope), in)));
    }
    if (what == 4) {
      auto bytes = zeros(in.u16());
      step = machine.received(bytes);
    }
    if (!step) return;
    for (auto& op: step->ops) (void)log.add(op);
  }
  ask(log);
}

void wholeLog(FlatReader& in) {
  auto& circle = Circle::get();
  MembershipLog log(circle.log().circle());
  auto bytes = in.u8() % 2 == 0 ? damaged(encodeLog(circle.logs[Circle::BASE_OPS]), in)
                                : kj::heapArray<kj::byte>(in.remaining());
  auto ops = decodeLog(bytes);
  if (!ops) return;
  for (auto& op: *ops) (void)log.add(op);
  ask(log);
}

void sealedField(FlatReader& in) {
  auto& circle = Circle::get();
  SeededEntropy entropy(42);
  auto secret = EpochSecret::draw(entropy);
  FieldPlace place{circle.log().circle(), circle.devices[0].id, 3};
  auto plain = damaged(DeviceNames{kj::str("watch"), kj::str("W2"), 3}.encode(), in);
  if (auto names = DeviceNames::decode(plain)) expect(names->encode() == plain);
  auto sealed = damaged(sealField(place, {}, secret, {}, plain), in);
  (void)epochOfField(sealed);
  (void)openField(place, secret, sealed);
}

constexpr void (*WAYS[])(FlatReader&) = {rawOp, changedOp, payload, changedPayload, bundle, join,
    history, exchange, wholeLog, sealedField};

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return hearth::fuzz::goOneOf(hearth::fuzz::WAYS, data, size);
}

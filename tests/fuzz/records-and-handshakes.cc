// F1: record headers, the bodies of handshake records, both machines of a link's handshake, and
// envelopes.

#include "crypto/primitives/envelope.h"
#include "tests/fuzz/parties.h"

namespace hearth::fuzz {
namespace {

struct Drawn {
  SeededEntropy entropy{21};
  EphemeralGuard guard{[] {}};
};

Protocol protocolIn(FlatReader& in) {
  return in.u8() % 2 == 0 ? Protocol::IKHFSPSK2 : Protocol::IKHFS;
}

// The caller's message 1 has been read; what follows must not fail.
void answer(LinkResponder& responder) {
  auto& parties = Parties::get();
  auto& opening = responder.opening();
  auto self = parties.selfOf(parties.callee);
  if (!judge(opening, self, {parties.caller.keys.publics.x, 0})) return;
  auto status = bundleStatus(opening, self.bundle, parties.caller.bundle.hash());
  kj::Maybe<LinkPsk> psk;
  if (opening.protocol == Protocol::IKHFSPSK2) psk = Parties::psk();
  auto answered =
      responder.answer(Parties::CALLEE_INDEX, kj::mv(psk), parties.caller.bundle.hash(), status);
  if (answered) expect(readHsResp(bodyOf(answered->record)).has_value());
}

void openInit(Bytes body) {
  auto init = readHsInit(body);
  if (!init) return;
  auto& parties = Parties::get();
  (void)mac1Holds(GateKeys::forLink(parties.callee.keys.publics.x), *init);
  (void)mac2Holds(Cookie(), *init);
  Drawn drawn;
  auto responder =
      LinkResponder::open(parties.selfOf(parties.callee), *init, drawn.entropy, drawn.guard);
  if (responder) answer(*responder);
}

void readBody(RecordType type, Bytes body) {
  if (type == RecordType::HS_INIT) openInit(body);
  if (auto resp = readHsResp(body))
    expect(bodyOf(writeHsResp(resp->senderIndex, resp->receiverIndex, resp->noise)) == body);
  if (auto final = readHsFinal(body))
    expect(bodyOf(writeHsFinal(final->receiverIndex, final->noise)) == body);
  if (auto alert = readAlert(body)) expect(bodyOf(writeAlert(*alert)) == body);
  (void)readCookie(body);
}

// A carrier's bytes: records one after another.
void records(FlatReader& in) {
  while (in.good()) {
    auto header = readRecordHeader(in.bytes(RECORD_HEADER_BYTES));
    if (!header) return;
    auto body = in.bytes(header->bodyBytes);
    if (in.good()) readBody(header->type, body);
  }
}

void damagedInit(FlatReader& in) {
  Drawn drawn;
  auto& parties = Parties::get();
  auto protocol = protocolIn(in);
  auto honest = parties.initiator(protocol, drawn.entropy, drawn.guard).initRecord();
  auto init = readHsInit(bodyOf(honest)).value();
  auto noise = damaged(init.noise, in);
  openInit(bodyOf(writeHsInit(GateKeys::forLink(parties.callee.keys.publics.x), init.protocol,
      init.senderIndex, noise, nullptr)));
}

// Message 1 of a device that holds all keys and says what the input says.
void initPayload(FlatReader& in) {
  Drawn drawn;
  auto& parties = Parties::get();
  auto protocol = protocolIn(in);
  auto noise = parties.noise(protocol, true, drawn.entropy);
  auto message = noise.write(damaged(parties.initPayload(protocol), in)).value();
  openInit(bodyOf(writeHsInit(GateKeys::forLink(parties.callee.keys.publics.x),
      static_cast<uint8_t>(protocol), Parties::CALLER_INDEX, message, nullptr)));
}

void respRaw(FlatReader& in) {
  Drawn drawn;
  auto machine = Parties::get().initiator(protocolIn(in), drawn.entropy, drawn.guard);
  (void)machine.finish(in.remaining());
}

// Message 2, likewise.
void respPayload(FlatReader& in) {
  Drawn drawn;
  auto& parties = Parties::get();
  auto protocol = protocolIn(in);
  auto machine = parties.initiator(protocol, drawn.entropy, drawn.guard);
  auto noise = parties.noise(protocol, false, drawn.entropy);
  auto record = machine.initRecord();
  expect(noise.read(readHsInit(bodyOf(record)).value().noise).has_value());
  bool sealedAgain = in.u8() % 2 == 0;  // damage within the seal, or of the sealed message
  auto message = sealedAgain ? noise.write(damaged(parties.respPayload(), in)).value()
                             : damaged(noise.write(parties.respPayload()).value(), in);
  if (message.size() > HS_INIT_BYTES_MAX) return;
  auto session =
      machine.finish(bodyOf(writeHsResp(Parties::CALLEE_INDEX, Parties::CALLER_INDEX, message)));
  if (session) expect(session->status <= LinkStatus::REMOVED);
}

void cookie(FlatReader& in) {
  Drawn drawn;
  auto& parties = Parties::get();
  auto machine = parties.initiator(Protocol::IKHFSPSK2, drawn.entropy, drawn.guard);
  auto record = machine.initRecord();
  auto init = readHsInit(bodyOf(record)).value();
  auto gate = GateKeys::forLink(parties.callee.keys.publics.x);
  auto given = drawn.entropy.draw<Cookie>();
  auto reply = writeCookie(gate, init, given, drawn.entropy.draw<CookieNonce>());
  if (auto taken = machine.takeCookie(damaged(bodyOf(reply), in))) {
    auto second = machine.initRecord();
    expect(mac2Holds(*taken, readHsInit(bodyOf(second)).value()));
  }
}

void envelope(FlatReader& in) {
  auto type = static_cast<SigType>(in.u8() % (static_cast<uint8_t>(SigType::APP) + 1));
  auto bytes = in.remaining();
  if (auto read = readEnvelope(type, bytes, 4096))
    expect(writeEnvelope(type, read->body, read->signatures.asPtr()) == bytes);
}

constexpr void (*WAYS[])(FlatReader&) = {
    records, damagedInit, initPayload, respRaw, respPayload, cookie, envelope};

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return hearth::fuzz::goOneOf(hearth::fuzz::WAYS, data, size);
}

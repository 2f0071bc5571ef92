// F7: QR text, typed codes, display ids, recovery words and shares; the records and messages of a
// pairing, in front of both machines and, by a peer that holds the secret, behind the handshake.

#include "tests/fuzz/pairs.h"

namespace hearth::fuzz {
namespace {

kj::String textIn(FlatReader& in) { return kj::heapString(in.remaining().asChars()); }

void qrText(FlatReader& in) {
  auto text = textIn(in);
  (void)readQr(text);
}

// What stands in a QR code, in its right clothes.
void qrPayload(FlatReader& in) {
  auto payload = in.remaining();
  auto offer = readQr(crypto::qrText(payload));
  if (!offer) return;
  expect(crypto::qrPayload(offer->commitment, offer->secret, offer->hints) == payload);
}

void displayed(FlatReader& in) {
  auto text = textIn(in);
  if (auto device = parseDisplay(text)) expect(display(*device) == text);
  if (auto bytes = parseBase32(text)) expect(base32(*bytes) == text);
}

void words(FlatReader& in) {
  auto typed = in.remaining();
  if (auto code = PairingCode::parse(typed)) {
    auto again = PairingCode::parse(code->reveal());
    expect(again.has_value() && again->reveal() == code->reveal());
  }
  if (auto seed = recoverySeed(typed)) {
    auto again = recoverySeed(recoveryWords(*seed).reveal());
    expect(again.has_value() && again->equals(*seed));
  }
}

void shares(FlatReader& in) {
  SeededEntropy entropy(51);
  auto seed = RecoverySeed::draw(entropy);
  auto set = entropy.draw<ShareSetId>();
  auto coefficients = ShareCoefficients::draw(entropy);
  auto first = recoveryShare(seed, set, coefficients, 1);
  auto second = damaged(recoveryShare(seed, set, coefficients, 2).reveal(), in);
  if (auto combined = combineShares(first.reveal(), second)) expect(combined->equals(seed));
}

void hello(FlatReader& in) {
  if (auto parsed = PairHello::parse(in.remaining())) expect(parsed->body() == in.remaining());
}

void hints(FlatReader& in) {
  if (auto read = readHints(in.remaining())) expect(writeHints(*read) == in.remaining());
}

void offer(FlatReader& in) {
  auto body = damaged(Pairs::get().offer(), in);
  if (auto read = readOffer(body)) expect(writeOffer(*read) == body);
}

RecordType typeIn(FlatReader& in) {
  constexpr RecordType TYPES[] = {RecordType::HS_INIT, RecordType::HS_RESP, RecordType::HS_FINAL,
      RecordType::ALERT, RecordType::PAIR_HELLO, RecordType::PAIR_REPLY, RecordType::PAKE_A,
      RecordType::PAKE_B, RecordType::DATA};
  return TYPES[in.u8() % std::size(TYPES)];
}

// A pairing by any method in which one record comes damaged, or the input's own in its place.
void damagedRecord(FlatReader& in) {
  Honest pair(in.u8());
  auto which = in.u8();
  auto& way = pair.wire;
  for (size_t number = 0; !way.empty(); ++number) {
    auto next = kj::mv(way.front());
    way.pop_front();
    auto type = static_cast<RecordType>(next.record[0]);
    auto body = kj::heapArray<kj::byte>(bodyOf(next.record));
    if (number == which % 16) {
      if (which >= 128) type = typeIn(in);
      body = which >= 64 && which < 128 ? kj::heapArray<kj::byte>(in.var16()) : damaged(body, in);
    }
    if (!pair.deliver(next.toJoiner, type, body)) return;
  }
}

// An admin that holds the code and says what the input says.
void hostileAdmin(FlatReader& in) {
  Drawn drawn;
  auto& pairs = Pairs::get();
  PairingMeans means = Pairs::qrProof();
  PairingJoiner joiner({pairs.joiner, pairs.joinerBundle, means}, drawn.entropy, drawn.guard);
  PairHello own{PairMethod::QR, drawn.entropy.draw<PairNonce>()};
  auto reply = joiner.take(RecordType::PAIR_HELLO, own.body()).value();
  auto hashed = helloHash(own.body(), bodyOf(reply.send[0]));
  auto noise = pairs.noise(true, hashed, drawn.entropy);
  auto init = noise.write(in.var8()).value();
  auto resp = joiner.take(RecordType::HS_INIT,
      bodyOf(writeHsInit(GateKeys::forPairing(hashed), 2, Pairs::ADMIN_INDEX, init, nullptr)));
  if (!resp) return;
  auto answer = readHsResp(bodyOf(resp->send[0])).value();
  expect(noise.read(answer.noise).has_value());
  auto introduction = writeIntroduction(pairs.adminBundle.seal(pairs.admin), {});
  auto final = noise.write(damaged(introduction, in)).value();
  auto t1 = joiner.take(RecordType::HS_FINAL, bodyOf(writeHsFinal(answer.senderIndex, final)));
  if (!t1) return;
  PairChannel channel(SessionKeys::from(noise), true, Pairs::ADMIN_INDEX, answer.senderIndex);
  while (in.good() && in.remaining().size() > 0) {
    auto kind = in.u8();
    auto body =
        (kind & 0x80) != 0 ? damaged(pairs.offer(), in) : kj::heapArray<kj::byte>(in.var16());
    for (auto& record: channel.send(kind & 0x0f, body)) {
      auto effects = joiner.take(RecordType::DATA, bodyOf(record));
      if (!effects) return;
      KJ_IF_MAYBE(joined, effects->joined) expect(joined->admin == pairs.adminBundle);
    }
  }
}

// A new device that has shown the code, likewise.
void hostileJoiner(FlatReader& in) {
  Drawn drawn;
  auto& pairs = Pairs::get();
  PairingAdmin admin(pairs.adminSetup(Pairs::qrProof()), drawn.entropy, drawn.guard);
  auto hello = admin.hello();
  PairHello own{PairMethod::QR, drawn.entropy.draw<PairNonce>()};
  auto init = admin.take(RecordType::PAIR_REPLY, own.body()).value();
  auto hashed = helloHash(bodyOf(hello), own.body());
  auto noise = pairs.noise(false, hashed, drawn.entropy);
  auto first = readHsInit(bodyOf(init.send[0])).value();
  expect(noise.read(first.noise).has_value());
  auto introduction = writeIntroduction(pairs.joinerBundle.seal(pairs.joiner), {});
  auto resp = noise.write(damaged(introduction, in)).value();
  auto final = admin.take(
      RecordType::HS_RESP, bodyOf(writeHsResp(Pairs::JOINER_INDEX, first.senderIndex, resp)));
  if (!final) return;
  expect(noise.read(readHsFinal(bodyOf(final->send[0])).value().noise).has_value());
  PairChannel channel(SessionKeys::from(noise), false, Pairs::JOINER_INDEX, first.senderIndex);
  while (in.good() && in.remaining().size() > 0) {
    auto kind = in.u8();
    auto body =
        (kind & 0x80) != 0 ? damaged(pairs.consent(), in) : kj::heapArray<kj::byte>(in.var16());
    for (auto& record: channel.send(kind & 0x0f, body)) {
      auto effects = admin.take(RecordType::DATA, bodyOf(record));
      if (!effects) return;
      KJ_IF_MAYBE(candidate, effects->candidate) expect(candidate->bundle == pairs.joinerBundle);
    }
  }
}

constexpr void (*WAYS[])(FlatReader&) = {qrText, qrPayload, displayed, words, shares, hello, hints,
    offer, damagedRecord, hostileAdmin, hostileJoiner};

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return hearth::fuzz::goOneOf(hearth::fuzz::WAYS, data, size);
}

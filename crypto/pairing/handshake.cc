#include "crypto/pairing/handshake.h"

#include "crypto/handshake/cookies.h"
#include "crypto/handshake/records.h"
#include "crypto/pairing/means.h"
#include "crypto/pairing/stages.h"

namespace hearth::crypto {

namespace {
constexpr uint8_t SUITE = 1;

uint8_t protocolNumber(PairMethod method) { return static_cast<uint8_t>(protocolOf(method)); }
}  // namespace

PairHandshake::PairHandshake(bool initiator, PairMethod method, const DeviceKeys& keys,
    Entropy& entropy, EphemeralGuard& guard)
    : initiator(initiator),
      keys(keys),
      entropy(entropy),
      guard(guard),
      own{method, entropy.draw<PairNonce>()},
      index(entropy.draw<uint32_t>()) {}

Noise& PairHandshake::beginNoise(kj::Maybe<Psk> psk) {
  auto ephemeral = DhSecret::draw(entropy);
  guard.admit(publicOf(ephemeral));
  return noise.emplace(pairingNoise(initiator, keys.x, kj::mv(ephemeral), kj::mv(psk),
      pairPrologue(own.method, hellosHashed), entropy));
}

Result<Buffer> PairHandshake::introduce(
    const Bundle& bundle, const PairContribution& contribution) {
  return held(noise).write(writeIntroduction(bundle.seal(keys), contribution));
}

Result<void> PairHandshake::checkOwner(const Bundle& bundle) const {
  if (bundle.keys.x != KJ_ASSERT_NONNULL(noise).remoteStatic().orDefault(DhPublic()))
    return no(Errc::UNKNOWN_PEER, "the static key is not that of the bundle");
  return {};
}

PairSession PairHandshake::finish() {
  auto session = SessionKeys::from(held(noise));
  auto noiseH = session.noiseH;
  return {noiseH, PairChannel(kj::mv(session), initiator, index, peerIndex)};
}

PairInitiator::PairInitiator(
    PairMethod method, const DeviceKeys& keys, Entropy& entropy, EphemeralGuard& guard)
    : PairHandshake(true, method, keys, entropy, guard) {}

Buffer PairInitiator::hello() const { return writeRecord(RecordType::PAIR_HELLO, own.body()); }

Result<PairHello> PairInitiator::takeReply(Bytes body) {
  auto reply = PairHello::parse(body);
  if (reply) hellosHashed = helloHash(own.body(), body);
  return reply;
}

Result<Buffer> PairInitiator::begin(kj::Maybe<Psk> psk) {
  auto message = beginNoise(kj::mv(psk)).write(nullptr);
  if (!message) return no(message.error());
  return writeHsInit(
      GateKeys::forPairing(hellosHashed), protocolNumber(own.method), index, *message, nullptr);
}

Result<Buffer> PairInitiator::takeResponse(Bytes body) {
  auto resp = readHsResp(body);
  if (!resp) return no(resp.error());
  if (resp->receiverIndex != index) return no(Errc::BAD_FORMAT, "an answer to another handshake");
  peerIndex = resp->senderIndex;
  return held(noise).read(resp->noise);
}

Result<Buffer> PairInitiator::final(const Bundle& bundle, const PairContribution& contribution) {
  auto message = introduce(bundle, contribution);
  if (!message) return no(message.error());
  return writeHsFinal(peerIndex, *message);
}

PairResponder::PairResponder(
    PairMethod method, const DeviceKeys& keys, Entropy& entropy, EphemeralGuard& guard)
    : PairHandshake(false, method, keys, entropy, guard) {}

Result<PairHello> PairResponder::takeHello(Bytes body) {
  auto hello = PairHello::parse(body);
  if (hello) hellosHashed = helloHash(body, own.body());
  return hello;
}

Buffer PairResponder::reply() const { return writeRecord(RecordType::PAIR_REPLY, own.body()); }

void PairResponder::begin(kj::Maybe<Psk> psk) { beginNoise(kj::mv(psk)); }

Result<void> PairResponder::takeInit(Bytes body) {
  auto init = readHsInit(body);
  if (!init) return no(init.error());
  if (init->suite != SUITE || init->protocol != protocolNumber(own.method))
    return no(Errc::BAD_VERSION, "a handshake of another suite or protocol");
  if (!mac1Holds(GateKeys::forPairing(hellosHashed), *init))
    return no(Errc::BAD_MAC, "an initiation of another pairing");
  if (!init->mac2.isZero()) return no(Errc::BAD_MAC, "a cookie that was never given");
  auto payload = held(noise).read(init->noise);
  wrongInit = !payload;
  if (!payload) return no(payload.error());
  if (payload->size() != 0) return no(Errc::BAD_FORMAT, "a payload where none belongs");
  peerIndex = init->senderIndex;
  return {};
}

Result<Buffer> PairResponder::response(const Bundle& bundle, const PairContribution& contribution) {
  auto message = introduce(bundle, contribution);
  if (!message) return no(message.error());
  return writeHsResp(index, peerIndex, *message);
}

Result<Buffer> PairResponder::takeFinal(Bytes body) {
  auto final = readHsFinal(body);
  if (!final) return no(final.error());
  if (final->receiverIndex != index) return no(Errc::BAD_FORMAT, "a record for other keys");
  return held(noise).read(final->noise);
}

}  // namespace hearth::crypto

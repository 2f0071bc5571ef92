#include "crypto/pairing/recover.h"

#include "crypto/handshake/cookies.h"
#include "crypto/primitives/hash.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::crypto {

namespace {

constexpr uint8_t SUITE = 1;
constexpr uint8_t CHALLENGE = 6, PROOF = 7, OPS = 8, TAKEN = 9;  // beside those of pairing

using ProofKey = Key<struct RecoveryProofKeyTag, 32>;

template <typename T>
T& held(kj::Maybe<T>& value) {
  return KJ_ASSERT_NONNULL(value, "a stage of recovery without what the one before made");
}

// Whoever does not know the circle's recovery key by name costs no Diffie-Hellman.
Psk pskOf(const DeviceId& recoveryId, const Digest& helloHashed) {
  return derive<Psk>(recoveryId.asBytes(), "hearth/pair-psk/recovery/v1", {helloHashed.asBytes()});
}

// Bound to this handshake and both ends: a proof is worth nothing elsewhere.
Mac16 proofOf(const XWing::Shared& shared, const Digest& binding) {
  auto key = derive<ProofKey>(shared.reveal(), "hearth/recovery-proof/v1", {binding.asBytes()});
  return mac16(key.reveal(), "hearth/recovery-proof/v1", {});
}

Digest bindingOf(const NoiseH& noiseH, const Bundle& host, const Bundle& caller) {
  return hash("hearth/recovery-binding/v1",
      {noiseH.asBytes(), host.hash().asBytes(), caller.hash().asBytes()});
}

Noise machineOf(bool initiator, const DeviceKeys& keys, const DeviceId& recoveryId,
    const Digest& helloHashed, Entropy& entropy, EphemeralGuard& guard) {
  auto ephemeral = DhSecret::draw(entropy);
  guard.admit(publicOf(ephemeral));
  return pairingNoise(initiator, keys.x, kj::mv(ephemeral), pskOf(recoveryId, helloHashed),
      pairPrologue(PairMethod::RECOVERY, helloHashed), entropy);
}

// The other end's bundle, which must be that of the handshake's static key.
Result<Bundle> introduced(Bytes payload, const Noise& noise) {
  auto read = readIntroduction(payload);
  if (!read) return no(read.error());
  if (read->bundle.keys.x != noise.remoteStatic().orDefault(DhPublic()))
    return no(Errc::UNKNOWN_PEER, "the static key is not that of the bundle");
  return read->bundle;
}

// A whole stream of messages in as many of one kind as it takes.
kj::Vector<Buffer> sendAll(PairChannel& channel, uint8_t kind, Bytes bytes) {
  kj::Vector<Buffer> records;
  for (size_t at = 0; at < bytes.size(); at += MESSAGE_BODY_BYTES_MAX) {
    auto end = std::min(at + MESSAGE_BODY_BYTES_MAX, bytes.size());
    for (auto& record: channel.send(kind, bytes.slice(at, end))) records.add(kj::mv(record));
  }
  return records;
}

}  // namespace

RecoveryCaller::RecoveryCaller(Setup setupIn, Entropy& entropy, EphemeralGuard& guard)
    : setup(kj::mv(setupIn)),
      entropy(entropy),
      guard(guard),
      own{PairMethod::RECOVERY, entropy.draw<PairNonce>()},
      index(entropy.draw<uint32_t>()) {}

Buffer RecoveryCaller::hello() { return writeRecord(RecordType::PAIR_HELLO, own.body()); }

Result<RecoveryCaller::Effects> RecoveryCaller::take(RecordType type, Bytes body) {
  if (stage == Stage::ENDED) return no(Errc::BAD_FORMAT, "the recovery has ended");
  auto effects = step(type, body);
  if (!effects) stage = Stage::ENDED;
  return effects;
}

Result<RecoveryCaller::Effects> RecoveryCaller::step(RecordType type, Bytes body) {
  if (type == RecordType::ALERT && channel == nullptr)
    return no(Errc::BUSY, "the device there helps nobody recover now");
  if (type == RecordType::PAIR_REPLY && stage == Stage::REPLY) return takeReply(body);
  if (type == RecordType::HS_RESP && stage == Stage::RESPONSE) return takeResponse(body);
  if (type != RecordType::DATA || channel == nullptr)
    return no(Errc::BAD_FORMAT, "a record out of turn");
  auto messages = held(channel).take(body);
  if (!messages) return no(messages.error());
  Effects effects;
  for (auto& message: *messages) {
    if (auto taken = takeMessage(kj::mv(message), effects); !taken) return no(taken.error());
  }
  return kj::mv(effects);
}

Result<RecoveryCaller::Effects> RecoveryCaller::takeReply(Bytes body) {
  auto reply = PairHello::parse(body);
  if (!reply) return no(reply.error());
  if (reply->method != PairMethod::RECOVERY)
    return no(Errc::PAIRING_CLOSED, "the device there waits to be paired");
  helloHashed = helloHash(own.body(), body);
  auto& machine =
      noise.emplace(machineOf(true, setup.keys, setup.recovery.id, helloHashed, entropy, guard));
  auto message = machine.write(nullptr);
  if (!message) return no(message.error());
  stage = Stage::RESPONSE;
  Effects effects;
  effects.send.add(writeHsInit(GateKeys::forPairing(helloHashed),
      static_cast<uint8_t>(Protocol::XXHFSPSK0), index, *message, nullptr));
  return kj::mv(effects);
}

Result<RecoveryCaller::Effects> RecoveryCaller::takeResponse(Bytes body) {
  auto resp = readHsResp(body);
  if (!resp) return no(resp.error());
  if (resp->receiverIndex != index) return no(Errc::BAD_FORMAT, "an answer to another handshake");
  auto& machine = held(noise);
  auto payload = machine.read(resp->noise);
  if (!payload) return no(payload.error());
  auto host = introduced(*payload, machine);
  if (!host) return no(host.error());
  auto message = machine.write(
      writeIntroduction(setup.bundle.seal(setup.keys), entropy.draw<PairContribution>()));
  if (!message) return no(message.error());
  auto keys = SessionKeys::from(machine);
  binding = bindingOf(keys.noiseH, *host, setup.bundle);
  channel = PairChannel(kj::mv(keys), true, index, resp->senderIndex);
  stage = Stage::CHALLENGE;
  Effects effects;
  effects.send.add(writeHsFinal(resp->senderIndex, *message));
  return kj::mv(effects);
}

Result<void> RecoveryCaller::takeMessage(Message message, Effects& effects) {
  if (message.kind == CHALLENGE && stage == Stage::CHALLENGE) {
    auto shared = XWing::decapsulate(setup.recovery.xw, message.body);
    if (!shared) return no(shared.error());
    effects.send = held(channel).send(PROOF, proofOf(*shared, binding).asBytes());
    stage = Stage::LOG;
    return {};
  }
  if (message.kind == PAIRING_T4 && stage == Stage::LOG) {
    if (log.size() + message.body.size() > PAIRING_LOG_BYTES_MAX)
      return no(Errc::LIMIT_EXCEEDED, "a membership log over the limit");
    log.addAll(message.body);
    return {};
  }
  if (message.kind == PAIRING_HINTS && stage == Stage::LOG) {
    effects.log = log.releaseAsArray();
    return {};
  }
  if (message.kind == TAKEN && stage == Stage::PUSHED) {
    effects.taken = true;
    return {};
  }
  return no(Errc::BAD_FORMAT, "a message out of turn");
}

kj::Vector<Buffer> RecoveryCaller::push(Bytes ops) {
  KJ_REQUIRE(stage == Stage::LOG);
  stage = Stage::PUSHED;
  return held(channel).send(OPS, ops);
}

RecoveryHost::RecoveryHost(Setup setupIn, Entropy& entropy, EphemeralGuard& guard)
    : setup(kj::mv(setupIn)),
      entropy(entropy),
      guard(guard),
      own{PairMethod::RECOVERY, entropy.draw<PairNonce>()},
      index(entropy.draw<uint32_t>()) {}

Result<RecoveryHost::Effects> RecoveryHost::take(RecordType type, Bytes body) {
  if (stage == Stage::ENDED) return no(Errc::BAD_FORMAT, "the recovery has ended");
  auto effects = step(type, body);
  if (!effects) stage = Stage::ENDED;
  return effects;
}

Result<RecoveryHost::Effects> RecoveryHost::step(RecordType type, Bytes body) {
  if (type == RecordType::PAIR_HELLO && stage == Stage::HELLO) return takeHello(body);
  if (type == RecordType::HS_INIT && stage == Stage::INIT) return takeInit(body);
  if (type == RecordType::HS_FINAL && stage == Stage::FINAL) return takeFinal(body);
  if (type != RecordType::DATA || channel == nullptr)
    return no(Errc::BAD_FORMAT, "a record out of turn");
  auto messages = held(channel).take(body);
  if (!messages) return no(messages.error());
  Effects effects;
  for (auto& message: *messages) {
    if (auto taken = takeMessage(kj::mv(message), effects); !taken) return no(taken.error());
  }
  return kj::mv(effects);
}

Result<RecoveryHost::Effects> RecoveryHost::takeHello(Bytes body) {
  auto hello = PairHello::parse(body);
  if (!hello) return no(hello.error());
  if (hello->method != PairMethod::RECOVERY)
    return no(Errc::PAIRING_CLOSED, "this device does not wait to be paired");
  helloHashed = helloHash(body, own.body());
  noise = machineOf(false, setup.keys, setup.recovery.id, helloHashed, entropy, guard);
  stage = Stage::INIT;
  Effects effects;
  effects.send.add(writeRecord(RecordType::PAIR_REPLY, own.body()));
  return kj::mv(effects);
}

Result<RecoveryHost::Effects> RecoveryHost::takeInit(Bytes body) {
  auto init = readHsInit(body);
  if (!init) return no(init.error());
  if (init->suite != SUITE || init->protocol != static_cast<uint8_t>(Protocol::XXHFSPSK0))
    return no(Errc::BAD_VERSION, "a handshake of another suite or protocol");
  if (!mac1Holds(GateKeys::forPairing(helloHashed), *init) || !init->mac2.isZero())
    return no(Errc::BAD_MAC, "an initiation of another recovery");
  auto& machine = held(noise);
  auto payload = machine.read(init->noise);
  if (!payload) return no(payload.error());
  if (payload->size() != 0) return no(Errc::BAD_FORMAT, "a payload where none belongs");
  callerIndex = init->senderIndex;
  auto message =
      machine.write(writeIntroduction(setup.bundle.seal(setup.keys), PairContribution()));
  if (!message) return no(message.error());
  stage = Stage::FINAL;
  Effects effects;
  effects.send.add(writeHsResp(index, callerIndex, *message));
  return kj::mv(effects);
}

Result<RecoveryHost::Effects> RecoveryHost::takeFinal(Bytes body) {
  auto final = readHsFinal(body);
  if (!final) return no(final.error());
  if (final->receiverIndex != index) return no(Errc::BAD_FORMAT, "a record for other keys");
  auto& machine = held(noise);
  auto payload = machine.read(final->noise);
  if (!payload) return no(payload.error());
  auto caller = introduced(*payload, machine);
  if (!caller) return no(caller.error());
  auto challenge = XWing::encapsulate(setup.recovery.xw, XWing::EncapsSeed::draw(entropy));
  if (!challenge) return no(challenge.error());
  auto keys = SessionKeys::from(machine);
  binding = bindingOf(keys.noiseH, setup.bundle, *caller);
  expected = kj::mv(challenge->shared);
  channel = PairChannel(kj::mv(keys), false, index, callerIndex);
  stage = Stage::PROOF;
  Effects effects;
  effects.send = held(channel).send(CHALLENGE, challenge->ciphertext);
  return kj::mv(effects);
}

Result<void> RecoveryHost::takeMessage(Message message, Effects& effects) {
  if (message.kind == PROOF && stage == Stage::PROOF) {
    auto proof = proofOf(held(expected), binding);
    bool holds = message.body.size() == Mac16::SIZE && equalSecrets(message.body, proof.asBytes());
    if (!holds) return no(Errc::NOT_AUTHORISED, "a caller that does not hold the recovery key");
    expected = nullptr;
    effects.proved = true;
    stage = Stage::OPS;
    return {};
  }
  if (message.kind == OPS && stage == Stage::OPS && effects.ops == nullptr) {
    effects.ops = kj::mv(message.body);
    return {};
  }
  return no(Errc::BAD_FORMAT, "a message out of turn");
}

kj::Vector<Buffer> RecoveryHost::give(Bytes log) {
  KJ_REQUIRE(stage == Stage::OPS);
  auto records = sendAll(held(channel), PAIRING_T4, log);
  for (auto& record: held(channel).send(PAIRING_HINTS, writeHints(nullptr)))
    records.add(kj::mv(record));
  return records;
}

kj::Vector<Buffer> RecoveryHost::taken() { return held(channel).send(TAKEN, nullptr); }

}  // namespace hearth::crypto

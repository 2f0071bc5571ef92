#include "crypto/pairing/recovery-host.h"

#include "crypto/pairing/log-stream.h"
#include "crypto/pairing/recover.h"
#include "crypto/pairing/stages.h"

#include <kj/debug.h>

namespace hearth::crypto {

RecoveryHost::RecoveryHost(Setup setupIn, Entropy& entropy, EphemeralGuard& guard)
    : setup(kj::mv(setupIn)),
      entropy(entropy),
      handshake(PairMethod::RECOVERY, setup.keys, entropy, guard) {}

Result<RecoveryHost::Effects> RecoveryHost::take(RecordType type, Bytes body) {
  return untilError(stage, "the recovery has ended", [&] { return step(type, body); });
}

Result<RecoveryHost::Effects> RecoveryHost::step(RecordType type, Bytes body) {
  if (type == RecordType::PAIR_HELLO && stage == Stage::HELLO) return takeHello(body);
  if (type == RecordType::HS_INIT && stage == Stage::INIT) return takeInit(body);
  if (type == RecordType::HS_FINAL && stage == Stage::FINAL) return takeFinal(body);
  return takeMessages<Effects>(channel, type, body,
      [this](Message message, Effects& effects) { return takeMessage(kj::mv(message), effects); });
}

Result<RecoveryHost::Effects> RecoveryHost::takeHello(Bytes body) {
  auto hello = handshake.takeHello(body);
  if (!hello) return no(hello.error());
  if (hello->method != PairMethod::RECOVERY)
    return no(Errc::PAIRING_CLOSED, "this device does not wait to be paired");
  handshake.begin(recoveryPsk(setup.recovery.id, handshake.hellos()));
  stage = Stage::INIT;
  Effects effects;
  effects.send.add(handshake.reply());
  return kj::mv(effects);
}

Result<RecoveryHost::Effects> RecoveryHost::takeInit(Bytes body) {
  if (auto init = handshake.takeInit(body); !init) return no(init.error());
  auto response = handshake.response(setup.bundle, PairContribution());
  if (!response) return no(response.error());
  stage = Stage::FINAL;
  Effects effects;
  effects.send.add(kj::mv(*response));
  return kj::mv(effects);
}

Result<RecoveryHost::Effects> RecoveryHost::takeFinal(Bytes body) {
  auto payload = handshake.takeFinal(body);
  if (!payload) return no(payload.error());
  auto caller = readIntroduction(*payload);
  if (!caller) return no(caller.error());
  if (auto owner = handshake.checkOwner(caller->bundle); !owner) return no(owner.error());
  auto challenge = XWing::encapsulate(setup.recovery.xw, XWing::EncapsSeed::draw(entropy));
  if (!challenge) return no(challenge.error());
  auto session = handshake.finish();
  binding = recoveryBinding(session.noiseH, setup.bundle, caller->bundle);
  expected = kj::mv(challenge->shared);
  channel = kj::mv(session.channel);
  stage = Stage::PROOF;
  Effects effects;
  effects.send = held(channel).send(RECOVERY_CHALLENGE, challenge->ciphertext);
  return kj::mv(effects);
}

Result<void> RecoveryHost::takeMessage(Message message, Effects& effects) {
  if (message.kind == RECOVERY_PROOF && stage == Stage::PROOF) {
    auto proof = recoveryProof(held(expected), binding);
    bool holds = message.body.size() == Mac16::SIZE && equalSecrets(message.body, proof.asBytes());
    if (!holds) return no(Errc::NOT_AUTHORISED, "a caller that does not hold the recovery key");
    expected = nullptr;
    effects.proved = true;
    stage = Stage::OPS;
    return {};
  }
  if (message.kind == RECOVERY_OPS && stage == Stage::OPS && effects.ops == nullptr) {
    effects.ops = kj::mv(message.body);
    return {};
  }
  return no(Errc::BAD_FORMAT, "a message out of turn");
}

kj::Vector<Buffer> RecoveryHost::give(Bytes log) {
  KJ_REQUIRE(stage == Stage::OPS);
  return sendLog(held(channel), log, nullptr);
}

kj::Vector<Buffer> RecoveryHost::taken() { return held(channel).send(RECOVERY_TAKEN, nullptr); }

}  // namespace hearth::crypto

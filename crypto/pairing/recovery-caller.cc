#include "crypto/pairing/recovery-caller.h"

#include "crypto/pairing/recover.h"
#include "crypto/pairing/stages.h"

#include <kj/debug.h>

namespace hearth::crypto {

RecoveryCaller::RecoveryCaller(Setup setupIn, Entropy& entropy, EphemeralGuard& guard)
    : setup(kj::mv(setupIn)),
      entropy(entropy),
      handshake(PairMethod::RECOVERY, setup.keys, entropy, guard) {}

Buffer RecoveryCaller::hello() { return handshake.hello(); }

Result<RecoveryCaller::Effects> RecoveryCaller::take(RecordType type, Bytes body) {
  return untilError(stage, "the recovery has ended", [&] { return step(type, body); });
}

Result<RecoveryCaller::Effects> RecoveryCaller::step(RecordType type, Bytes body) {
  if (type == RecordType::ALERT && channel == nullptr)
    return no(Errc::BUSY, "the device there helps nobody recover now");
  if (type == RecordType::PAIR_REPLY && stage == Stage::REPLY) return takeReply(body);
  if (type == RecordType::HS_RESP && stage == Stage::RESPONSE) return takeResponse(body);
  return takeMessages<Effects>(channel, type, body,
      [this](Message message, Effects& effects) { return takeMessage(kj::mv(message), effects); });
}

Result<RecoveryCaller::Effects> RecoveryCaller::takeReply(Bytes body) {
  auto reply = handshake.takeReply(body);
  if (!reply) return no(reply.error());
  if (reply->method != PairMethod::RECOVERY)
    return no(Errc::PAIRING_CLOSED, "the device there waits to be paired");
  auto init = handshake.begin(recoveryPsk(setup.recovery.id, handshake.hellos()));
  if (!init) return no(init.error());
  stage = Stage::RESPONSE;
  Effects effects;
  effects.send.add(kj::mv(*init));
  return kj::mv(effects);
}

Result<RecoveryCaller::Effects> RecoveryCaller::takeResponse(Bytes body) {
  auto payload = handshake.takeResponse(body);
  if (!payload) return no(payload.error());
  auto host = readIntroduction(*payload);
  if (!host) return no(host.error());
  if (auto owner = handshake.checkOwner(host->bundle); !owner) return no(owner.error());
  auto final = handshake.final(setup.bundle, entropy.draw<PairContribution>());
  if (!final) return no(final.error());
  auto session = handshake.finish();
  binding = recoveryBinding(session.noiseH, host->bundle, setup.bundle);
  channel = kj::mv(session.channel);
  stage = Stage::CHALLENGE;
  Effects effects;
  effects.send.add(kj::mv(*final));
  return kj::mv(effects);
}

Result<void> RecoveryCaller::takeMessage(Message message, Effects& effects) {
  if (message.kind == RECOVERY_CHALLENGE && stage == Stage::CHALLENGE) {
    auto shared = XWing::decapsulate(setup.recovery.xw, message.body);
    if (!shared) return no(shared.error());
    effects.send = held(channel).send(RECOVERY_PROOF, recoveryProof(*shared, binding).asBytes());
    stage = Stage::LOG;
    return {};
  }
  if (message.kind == PAIRING_T4 && stage == Stage::LOG) return log.take(message.body);
  if (message.kind == PAIRING_HINTS && stage == Stage::LOG) {
    effects.log = log.finish();
    return {};
  }
  if (message.kind == RECOVERY_TAKEN && stage == Stage::PUSHED) {
    effects.taken = true;
    return {};
  }
  return no(Errc::BAD_FORMAT, "a message out of turn");
}

kj::Vector<Buffer> RecoveryCaller::push(Bytes ops) {
  KJ_REQUIRE(stage == Stage::LOG);
  stage = Stage::PUSHED;
  return held(channel).send(RECOVERY_OPS, ops);
}

}  // namespace hearth::crypto

#include "crypto/pairing/admin.h"

#include "crypto/pairing/log-stream.h"
#include "crypto/pairing/stages.h"

#include <kj/debug.h>

namespace hearth::crypto {

namespace {

Error errorOf(Alert alert) {
  switch (alert) {
    case Alert::BUSY:
      return {Errc::BUSY, "the new device is busy with another pairing"};
    case Alert::PAIRING_CLOSED:
      return {Errc::PAIRING_CLOSED, "the new device shows no pairing code now"};
    case Alert::PAIRING_LOCKED:
      return {Errc::PAIRING_LOCKED, "the new device has seen too many wrong codes"};
    case Alert::VERSION:
      return {Errc::BAD_VERSION, "the new device speaks another version"};
    default:
      return {Errc::BAD_FORMAT, "an alert that has no place in a pairing"};
  }
}

}  // namespace

PairingAdmin::PairingAdmin(Setup setupIn, Entropy& entropy, EphemeralGuard& guard)
    : setup(kj::mv(setupIn)),
      entropy(entropy),
      handshake(methodOf(setup.means), setup.keys, entropy, guard) {
  KJ_REQUIRE(setup.genesis.size() <= GENESIS_BYTES_MAX, setup.genesis.size());
}

Buffer PairingAdmin::hello() {
  KJ_REQUIRE(stage == Stage::HELLO);
  stage = Stage::REPLY;
  return handshake.hello();
}

Result<PairingAdmin::Effects> PairingAdmin::take(RecordType type, Bytes body) {
  return untilError(stage, "the pairing has ended", [&] { return step(type, body); });
}

Result<PairingAdmin::Effects> PairingAdmin::step(RecordType type, Bytes body) {
  if (type == RecordType::ALERT && channel == nullptr) {
    auto alert = readAlert(body);
    return no(alert ? errorOf(*alert) : alert.error());
  }
  if (type == RecordType::PAIR_REPLY && stage == Stage::REPLY) return takeReply(body);
  if (type == RecordType::PAKE_B && stage == Stage::PAKE) return takePake(body);
  if (type == RecordType::HS_RESP && stage == Stage::RESPONSE) return takeResponse(body);
  return takeMessages<Effects>(channel, type, body,
      [this](Message message, Effects& effects) { return takeMessage(kj::mv(message), effects); });
}

Result<PairingAdmin::Effects> PairingAdmin::takeReply(Bytes body) {
  auto reply = handshake.takeReply(body);
  if (!reply) return no(reply.error());
  if (reply->method != handshake.method()) {
    return no(Errc::PAIRING_CLOSED, "the new device pairs by another method");
  }
  if (auto* qr = std::get_if<QrProof>(&setup.means))
    return beginHandshake(qrPsk(qr->secret, qr->commitment, handshake.hellos()));
  if (handshake.method() == PairMethod::SAS) return beginHandshake(nullptr);
  auto& made = exchange.emplace(CodeExchange(std::get<PairingCode>(setup.means), handshake.nonce(),
      reply->nonce, Cpace::drawScalar(entropy)));
  stage = Stage::PAKE;
  Effects effects;
  effects.send.add(writeRecord(RecordType::PAKE_A, made.share().asBytes()));
  return kj::mv(effects);
}

Result<PairingAdmin::Effects> PairingAdmin::takePake(Bytes body) {
  auto share = Cpace::Point::from(body);
  if (!share) return no(share.error());
  auto psk = held(exchange).finish(true, *share, handshake.hellos());
  if (!psk) return no(psk.error());
  return beginHandshake(kj::mv(*psk));
}

Result<PairingAdmin::Effects> PairingAdmin::beginHandshake(kj::Maybe<Psk> psk) {
  auto init = handshake.begin(kj::mv(psk));
  if (!init) return no(init.error());
  stage = Stage::RESPONSE;
  tested = handshake.method() != PairMethod::SAS;  // with pictures, the user is who tests
  Effects effects;
  effects.send.add(kj::mv(*init));
  return kj::mv(effects);
}

Result<PairingAdmin::Effects> PairingAdmin::takeResponse(Bytes body) {
  auto payload = handshake.takeResponse(body);
  if (!payload) return no(payload.error());
  proved = handshake.method() != PairMethod::SAS;
  auto introduced = readIntroduction(*payload);
  if (!introduced) return no(introduced.error());
  if (auto checked = checkIntroduction(*introduced); !checked) return no(checked.error());
  joiner = kj::mv(*introduced);

  contribution = entropy.draw<PairContribution>();
  auto final = handshake.final(setup.bundle, contribution);
  if (!final) return no(final.error());
  auto session = handshake.finish();
  noiseH = session.noiseH;
  channel = kj::mv(session.channel);
  stage = Stage::T1;
  Effects effects;
  effects.send.add(kj::mv(*final));
  return kj::mv(effects);
}

Result<void> PairingAdmin::checkIntroduction(const PairIntroduction& introduced) const {
  if (introduced.bundle.id() == setup.keys.id)
    return no(Errc::REPLAY, "the new device says that it is this device");
  if (auto owner = handshake.checkOwner(introduced.bundle); !owner) return owner;
  return checkCommit(introduced);
}

// By QR the bundle is the one that was committed to; by SAS there is a commit to what B will show.
Result<void> PairingAdmin::checkCommit(const PairIntroduction& introduced) const {
  if (handshake.method() == PairMethod::SAS) return {};
  if (!introduced.contribution.isZero())
    return no(Errc::COMMIT_MISMATCH, "a commit where none belongs");
  if (auto* qr = std::get_if<QrProof>(&setup.means)) {
    auto commitment = qrCommitment(introduced.bundle, qr->secret);
    if (!equalSecrets(commitment.asBytes(), qr->commitment.asBytes()))
      return no(Errc::COMMIT_MISMATCH, "another device than the one that showed the QR code");
  }
  return {};
}

Result<PairingAdmin::Effects> PairingAdmin::compare(bool same) {
  KJ_REQUIRE(stage == Stage::COMPARE, "nothing is compared now");
  if (same) {
    proved = true;
    return offer();
  }
  stage = Stage::ENDED;
  return no(Errc::SAS_MISMATCH, "the two screens did not show the same");
}

Result<void> PairingAdmin::takeMessage(Message message, Effects& effects) {
  Result<Effects> next = no(Errc::BAD_FORMAT, "a pairing message out of turn");
  if (message.kind == PAIRING_T1 && stage == Stage::T1) {
    next = takeContribution(message.body);
  } else if (message.kind == PAIRING_T3 && stage == Stage::T3) {
    next = consent(kj::mv(message.body));
  }
  if (!next) return no(next.error());
  effects = kj::mv(*next);
  return {};
}

Result<PairingAdmin::Effects> PairingAdmin::takeContribution(Bytes body) {
  auto given = PairContribution::from(body);
  if (!given) return no(Errc::BAD_FORMAT, "a contribution of another length");
  if (handshake.method() != PairMethod::SAS) return offer();
  tested = true;
  auto& introduced = held(joiner);
  if (!equalSecrets(sasCommit(*given).asBytes(), introduced.contribution.asBytes()))
    return no(Errc::COMMIT_MISMATCH, "the new device has chosen its pictures late");
  stage = Stage::COMPARE;
  Effects effects;
  effects.sas = sasOf(noiseH, contribution, *given, setup.bundle.hash(), introduced.bundle.hash());
  return kj::mv(effects);
}

PairingAdmin::Effects PairingAdmin::offer() {
  stage = Stage::T3;
  return {held(channel).send(
      PAIRING_T2, writeOffer({setup.circle, setup.role, setup.keys.id, setup.genesis}))};
}

Result<PairingAdmin::Effects> PairingAdmin::consent(Buffer envelope) {
  auto& introduced = held(joiner);
  auto join = Join::open(envelope, introduced.bundle);
  if (!join) return no(join.error());
  if (join->circle != setup.circle || join->admin != setup.keys.id || join->role != setup.role) {
    return no(Errc::COMMIT_MISMATCH, "a consent to something else than was offered");
  }
  stage = Stage::CANDIDATE;
  Effects effects;
  effects.candidate =
      Candidate{introduced.bundle, kj::mv(introduced.envelope), kj::mv(envelope), join->role};
  return kj::mv(effects);
}

kj::Vector<Buffer> PairingAdmin::wait(PairWait why) {
  KJ_REQUIRE(stage == Stage::CANDIDATE, "nobody waits now");
  const kj::byte body[] = {static_cast<kj::byte>(why)};
  return held(channel).send(PAIRING_WAIT, body);
}

kj::Vector<Buffer> PairingAdmin::welcome(Bytes log, kj::ArrayPtr<const PairHint> hints) {
  KJ_REQUIRE(stage == Stage::CANDIDATE, "no candidate has consented");
  KJ_REQUIRE(log.size() <= PAIRING_LOG_BYTES_MAX, log.size());
  auto records = sendLog(held(channel), log, hints);
  stage = Stage::DONE;
  return records;
}

}  // namespace hearth::crypto

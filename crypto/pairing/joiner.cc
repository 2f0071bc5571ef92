#include "crypto/pairing/joiner.h"

#include "crypto/pairing/stages.h"

#include <kj/debug.h>

namespace hearth::crypto {

PairingJoiner::PairingJoiner(Setup setupIn, Entropy& entropy, EphemeralGuard& guard)
    : setup(kj::mv(setupIn)),
      entropy(entropy),
      handshake(methodOf(setup.means), setup.keys, entropy, guard) {}

Result<PairingJoiner::Effects> PairingJoiner::take(RecordType type, Bytes body) {
  return untilError(stage, "the pairing has ended", [&] { return step(type, body); });
}

Result<PairingJoiner::Effects> PairingJoiner::step(RecordType type, Bytes body) {
  if (type == RecordType::PAIR_HELLO && stage == Stage::HELLO) return takeHello(body);
  if (type == RecordType::PAKE_A && stage == Stage::PAKE) return takePake(body);
  if (type == RecordType::HS_INIT && stage == Stage::INIT) return takeInit(body);
  if (type == RecordType::HS_FINAL && stage == Stage::FINAL) return takeFinal(body);
  return takeMessages<Effects>(channel, type, body,
      [this](Message message, Effects& effects) { return takeMessage(kj::mv(message), effects); });
}

Result<PairingJoiner::Effects> PairingJoiner::takeHello(Bytes body) {
  auto hello = handshake.takeHello(body);
  if (!hello) return no(hello.error());
  if (hello->method != handshake.method()) {
    return no(Errc::PAIRING_CLOSED, "the admin pairs by another method");
  }
  adminNonce = hello->nonce;
  if (auto* qr = std::get_if<QrProof>(&setup.means)) {
    beginHandshake(qrPsk(qr->secret, qr->commitment, handshake.hellos()));
  } else if (handshake.method() == PairMethod::SAS) {
    beginHandshake(nullptr);
  } else {
    stage = Stage::PAKE;
  }
  Effects effects;
  effects.send.add(handshake.reply());
  return kj::mv(effects);
}

void PairingJoiner::beginHandshake(kj::Maybe<Psk> psk) {
  handshake.begin(kj::mv(psk));
  stage = Stage::INIT;
}

Result<PairingJoiner::Effects> PairingJoiner::takePake(Bytes body) {
  auto share = Cpace::Point::from(body);
  if (!share) return no(share.error());
  CodeExchange exchange(std::get<PairingCode>(setup.means), adminNonce, handshake.nonce(),
      Cpace::drawScalar(entropy));
  auto psk = exchange.finish(false, *share, handshake.hellos());
  if (!psk) {
    wrongGuess = true;
    return no(psk.error());
  }
  beginHandshake(kj::mv(*psk));
  Effects effects;
  effects.send.add(writeRecord(RecordType::PAKE_B, exchange.share().asBytes()));
  return kj::mv(effects);
}

Result<PairingJoiner::Effects> PairingJoiner::takeInit(Bytes body) {
  if (auto init = handshake.takeInit(body); !init) {
    // Message 1 opens under the secret alone.
    wrongGuess = handshake.method() != PairMethod::SAS && handshake.refusedInit();
    return no(init.error());
  }
  PairContribution commit;
  if (handshake.method() == PairMethod::SAS) {
    contribution = entropy.draw<PairContribution>();
    commit = PairContribution::from(sasCommit(contribution).asBytes()).value();
  }
  auto response = handshake.response(setup.bundle, commit);
  if (!response) return no(response.error());
  stage = Stage::FINAL;
  Effects effects;
  effects.send.add(kj::mv(*response));
  return kj::mv(effects);
}

Result<PairingJoiner::Effects> PairingJoiner::takeFinal(Bytes body) {
  auto payload = handshake.takeFinal(body);
  if (!payload) return no(payload.error());
  auto introduced = readIntroduction(*payload);
  if (!introduced) return no(introduced.error());
  if (introduced->bundle.id() == setup.keys.id) {
    return no(Errc::REPLAY, "the admin says that it is this device");
  }
  if (auto owner = handshake.checkOwner(introduced->bundle); !owner) return no(owner.error());
  joined = Joined{.admin = introduced->bundle};
  auto session = handshake.finish();
  Effects effects;
  if (handshake.method() == PairMethod::SAS) {
    effects.sas = sasOf(session.noiseH, introduced->contribution, contribution,
        introduced->bundle.hash(), setup.bundle.hash());
    stage = Stage::COMPARE;
  } else {
    contribution = entropy.draw<PairContribution>();
    stage = Stage::T2;
  }
  channel = kj::mv(session.channel);
  effects.send = held(channel).send(PAIRING_T1, contribution.asBytes());
  return kj::mv(effects);
}

Result<PairingJoiner::Effects> PairingJoiner::compare(bool same) {
  KJ_REQUIRE(stage == Stage::COMPARE, "nothing is compared now");
  if (!same) {
    wrongGuess = true;
    stage = Stage::ENDED;
    return no(Errc::SAS_MISMATCH, "the two screens did not show the same");
  }
  stage = Stage::T2;
  Effects effects;
  KJ_IF_MAYBE(offer, earlyOffer) {
    if (auto taken = takeOffer(*offer, effects); !taken) {
      stage = Stage::ENDED;
      return no(taken.error());
    }
  }
  return kj::mv(effects);
}

Result<void> PairingJoiner::takeMessage(Message message, Effects& effects) {
  if (message.kind == PAIRING_T2 && stage == Stage::T2) return takeOffer(message.body, effects);
  if (message.kind == PAIRING_T2 && stage == Stage::COMPARE && earlyOffer == nullptr) {
    earlyOffer = kj::mv(message.body);
    return {};
  }
  if (message.kind == PAIRING_T4 && stage == Stage::T4) return log.take(message.body);
  if (message.kind == PAIRING_HINTS && stage == Stage::T4) {
    return takeHints(message.body, effects);
  }
  if (message.kind == PAIRING_WAIT && stage == Stage::T4 && log.empty())
    return takeWait(message.body, effects);
  return no(Errc::BAD_FORMAT, "a pairing message out of turn");
}

Result<void> PairingJoiner::takeOffer(Bytes body, Effects& effects) {
  auto offer = readOffer(body);
  if (!offer) return no(offer.error());
  auto& result = held(joined);
  if (offer->admin != result.admin.id()) {
    return no(Errc::UNKNOWN_PEER, "an offer in the name of another device");
  }
  result.circle = offer->circle;
  result.role = offer->role;
  result.genesis = kj::heapArray<kj::byte>(offer->genesis);
  Join join{offer->circle, setup.bundle.hash(), offer->admin, offer->role};
  stage = Stage::T4;
  effects.send = held(channel).send(PAIRING_T3, join.seal(setup.keys));
  return {};
}

Result<void> PairingJoiner::takeWait(Bytes body, Effects& effects) const {
  bool isKnown = body.size() == 1 && body[0] >= static_cast<uint8_t>(PairWait::USER) &&
      body[0] <= static_cast<uint8_t>(PairWait::OTHER_ADMIN);
  if (!isKnown) return no(Errc::BAD_FORMAT, "a wait of no known kind");
  effects.waits = static_cast<PairWait>(body[0]);
  return {};
}

Result<void> PairingJoiner::takeHints(Bytes body, Effects& effects) {
  auto hints = readHints(body);
  if (!hints) return no(hints.error());
  auto& result = held(joined);
  result.log = log.finish();
  result.hints = kj::mv(*hints);
  effects.joined = kj::mv(joined);
  stage = Stage::DONE;
  return {};
}

}  // namespace hearth::crypto

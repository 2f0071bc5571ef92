#include "crypto/pairing/joiner.h"

#include "crypto/handshake/cookies.h"

#include <kj/debug.h>

namespace hearth::crypto {

namespace {

constexpr uint8_t SUITE = 1;

template <typename T>
T& held(kj::Maybe<T>& value) {
  return KJ_ASSERT_NONNULL(value, "a stage of pairing without what the one before made");
}

}  // namespace

PairingJoiner::PairingJoiner(Setup setup, Entropy& entropy, EphemeralGuard& guard)
    : setup(kj::mv(setup)),
      entropy(entropy),
      guard(guard),
      own{methodOf(this->setup.means), entropy.draw<PairNonce>()},
      index(entropy.draw<uint32_t>()) {}

Result<PairingJoiner::Effects> PairingJoiner::take(RecordType type, Bytes body) {
  if (stage == Stage::ENDED) return no(Errc::BAD_FORMAT, "the pairing has ended");
  auto effects = step(type, body);
  if (!effects) stage = Stage::ENDED;
  return effects;
}

Result<PairingJoiner::Effects> PairingJoiner::step(RecordType type, Bytes body) {
  if (type == RecordType::PAIR_HELLO && stage == Stage::HELLO) return takeHello(body);
  if (type == RecordType::PAKE_A && stage == Stage::PAKE) return takePake(body);
  if (type == RecordType::HS_INIT && stage == Stage::INIT) return takeInit(body);
  if (type == RecordType::HS_FINAL && stage == Stage::FINAL) return takeFinal(body);
  if (type == RecordType::DATA && channel != nullptr) return takeMessages(body);
  return no(Errc::BAD_FORMAT, "a record out of turn");
}

Result<PairingJoiner::Effects> PairingJoiner::takeHello(Bytes body) {
  auto hello = PairHello::parse(body);
  if (!hello) return no(hello.error());
  if (hello->method != own.method) {
    return no(Errc::PAIRING_CLOSED, "the admin pairs by another method");
  }
  adminNonce = hello->nonce;
  helloHashed = helloHash(body, own.body());
  if (auto* qr = std::get_if<QrProof>(&setup.means)) {
    beginHandshake(qrPsk(qr->secret, qr->commitment, helloHashed));
  } else if (own.method == PairMethod::SAS) {
    beginHandshake(nullptr);
  } else {
    stage = Stage::PAKE;
  }
  Effects effects;
  effects.send.add(writeRecord(RecordType::PAIR_REPLY, own.body()));
  return kj::mv(effects);
}

void PairingJoiner::beginHandshake(kj::Maybe<Psk> psk) {
  auto ephemeral = DhSecret::draw(entropy);
  guard.admit(publicOf(ephemeral));
  noise = pairingNoise(false, setup.keys.x, kj::mv(ephemeral), kj::mv(psk),
      pairPrologue(own.method, helloHashed), entropy);
  stage = Stage::INIT;
}

Result<PairingJoiner::Effects> PairingJoiner::takePake(Bytes body) {
  auto share = Cpace::Point::from(body);
  if (!share) return no(share.error());
  CodeExchange exchange(
      std::get<PairingCode>(setup.means), adminNonce, own.nonce, Cpace::drawScalar(entropy));
  auto psk = exchange.finish(false, *share, helloHashed);
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
  auto init = readHsInit(body);
  if (!init) return no(init.error());
  if (init->suite != SUITE || init->protocol != static_cast<uint8_t>(protocolOf(own.method))) {
    return no(Errc::BAD_VERSION, "a handshake of another suite or protocol");
  }
  if (!mac1Holds(GateKeys::forPairing(helloHashed), *init)) {
    return no(Errc::BAD_MAC, "an initiation of another pairing");
  }
  if (!init->mac2.isZero()) return no(Errc::BAD_MAC, "a cookie that was never given");
  auto& machine = held(noise);
  auto payload = machine.read(init->noise);
  if (!payload) {
    wrongGuess = own.method != PairMethod::SAS;  // message 1 opens under the secret alone
    return no(payload.error());
  }
  if (payload->size() != 0) return no(Errc::BAD_FORMAT, "a payload where none belongs");
  adminIndex = init->senderIndex;
  PairContribution commit;
  if (own.method == PairMethod::SAS) {
    contribution = entropy.draw<PairContribution>();
    commit = PairContribution::from(sasCommit(contribution).asBytes()).value();
  }
  auto message = machine.write(writeIntroduction(setup.bundle.seal(setup.keys), commit));
  if (!message) return no(message.error());
  stage = Stage::FINAL;
  Effects effects;
  effects.send.add(writeHsResp(index, adminIndex, *message));
  return kj::mv(effects);
}

Result<PairingJoiner::Effects> PairingJoiner::takeFinal(Bytes body) {
  auto final = readHsFinal(body);
  if (!final) return no(final.error());
  if (final->receiverIndex != index) return no(Errc::BAD_FORMAT, "a record for other keys");
  auto& machine = held(noise);
  auto payload = machine.read(final->noise);
  if (!payload) return no(payload.error());
  auto introduced = readIntroduction(*payload);
  if (!introduced) return no(introduced.error());
  if (introduced->bundle.id() == setup.keys.id) {
    return no(Errc::REPLAY, "the admin says that it is this device");
  }
  if (introduced->bundle.keys.x != machine.remoteStatic().orDefault(DhPublic())) {
    return no(Errc::UNKNOWN_PEER, "the static key is not that of the bundle");
  }
  joined = Joined{.admin = introduced->bundle};
  auto keys = SessionKeys::from(machine);
  Effects effects;
  if (own.method == PairMethod::SAS) {
    effects.sas = sasOf(keys.noiseH, introduced->contribution, contribution,
        introduced->bundle.hash(), setup.bundle.hash());
    stage = Stage::COMPARE;
  } else {
    contribution = entropy.draw<PairContribution>();
    stage = Stage::T2;
  }
  auto& made = channel.emplace(PairChannel(kj::mv(keys), false, index, adminIndex));
  effects.send = made.send(PAIRING_T1, contribution.asBytes());
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

Result<PairingJoiner::Effects> PairingJoiner::takeMessages(Bytes body) {
  auto messages = held(channel).take(body);
  if (!messages) return no(messages.error());
  Effects effects;
  for (auto& message: *messages) {
    if (auto taken = takeMessage(kj::mv(message), effects); !taken) return no(taken.error());
  }
  return kj::mv(effects);
}

Result<void> PairingJoiner::takeMessage(Message message, Effects& effects) {
  if (message.kind == PAIRING_T2 && stage == Stage::T2) return takeOffer(message.body, effects);
  if (message.kind == PAIRING_T2 && stage == Stage::COMPARE && earlyOffer == nullptr) {
    earlyOffer = kj::mv(message.body);
    return {};
  }
  if (message.kind == PAIRING_T4 && stage == Stage::T4) return takeLog(message.body);
  if (message.kind == PAIRING_HINTS && stage == Stage::T4) {
    return takeHints(message.body, effects);
  }
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

Result<void> PairingJoiner::takeLog(Bytes piece) {
  if (log.size() + piece.size() > PAIRING_LOG_BYTES_MAX) {
    return no(Errc::LIMIT_EXCEEDED, "a membership log over the limit");
  }
  log.addAll(piece);
  return {};
}

Result<void> PairingJoiner::takeHints(Bytes body, Effects& effects) {
  auto hints = readHints(body);
  if (!hints) return no(hints.error());
  auto& result = held(joined);
  result.log = log.releaseAsArray();
  result.hints = kj::mv(*hints);
  effects.joined = kj::mv(joined);
  stage = Stage::DONE;
  return {};
}

}  // namespace hearth::crypto

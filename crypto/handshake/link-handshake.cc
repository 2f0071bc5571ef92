#include "crypto/handshake/link-handshake.h"

#include "core/base/flat.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::crypto {

namespace {

constexpr uint8_t SUITE = 1;
constexpr size_t NONCE_BYTES = 16;
constexpr size_t INIT_PAYLOAD_BYTES = 160;
constexpr size_t INIT_PADDING_BYTES = 4;
constexpr size_t RESP_PAYLOAD_BYTES = 128;
constexpr size_t RESP_PADDING_BYTES = 28;

Buffer prologueOf(Protocol protocol, const CircleId& circle) {
  FlatWriter writer;
  writer.bytes("hearth/link/1"_kj.asBytes());
  writer.u8(SUITE).u8(static_cast<uint8_t>(protocol)).bytes(circle.asBytes());
  return writer.finish();
}

Noise::Setup setupOf(Protocol protocol, bool initiator) {
  return {
      nameOf(protocol), Pattern::parse(notationOf(protocol)), chaChaPoly(), blake2b(), initiator};
}

DhSecret freshEphemeral(Entropy& entropy, EphemeralGuard& guard) {
  auto ephemeral = DhSecret::draw(entropy);
  guard.admit(publicOf(ephemeral));
  return ephemeral;
}

void expectZeros(FlatReader& reader, size_t count) {
  for (auto b: reader.bytes(count)) {
    if (b != 0) reader.refuse();
  }
}

bool isRehandshake(uint16_t seconds) {
  return seconds == REHANDSHAKE_MAINS_S || seconds == REHANDSHAKE_BATTERY_S;
}

Buffer writeInitPayload(const LinkInitiator::Setup& setup, const EpochId& epoch, Entropy& entropy) {
  kj::byte clientNonce[NONCE_BYTES];
  entropy.fill(clientNonce);
  FlatWriter writer;
  writer.u64(setup.initCounter).bytes(clientNonce).bytes(setup.self.id.asBytes());
  writer.bytes(setup.self.bundle.asBytes()).bytes(setup.peer.bundle.asBytes());
  writer.bytes(epoch.asBytes()).u16(setup.self.rehandshakeS).u16(0).u32(0);
  KJ_ASSERT(writer.size() == INIT_PAYLOAD_BYTES, writer.size());
  return writer.finish();
}

Result<LinkOpening> readInitPayload(Protocol protocol, uint32_t peerIndex, Bytes payload) {
  FlatReader reader(payload);
  LinkOpening opening{.protocol = protocol, .peerIndex = peerIndex};
  opening.initCounter = reader.u64();
  reader.bytes(NONCE_BYTES);
  opening.device = reader.id<DeviceId>();
  opening.bundle = reader.id<BundleHash>();
  opening.bundleKnown = reader.id<BundleHash>();
  opening.epoch = reader.id<EpochId>();
  opening.rehandshakeS = reader.u16();
  expectZeros(reader, 2 + INIT_PADDING_BYTES);
  if (!isRehandshake(opening.rehandshakeS)) reader.refuse();
  if (opening.epoch.isZero() != (protocol == Protocol::IKHFS)) reader.refuse();
  if (auto end = reader.finish(); !end) return no(end.error());
  return opening;
}

struct RespPayload {
  DeviceId device;
  BundleHash bundle;
  BundleHash bundleKnown;
  uint16_t rehandshakeS;
  uint16_t status;
};

Buffer writeRespPayload(const RespPayload& payload) {
  static constexpr kj::byte ZEROS[RESP_PADDING_BYTES] = {};
  FlatWriter writer;
  writer.bytes(payload.device.asBytes()).bytes(payload.bundle.asBytes());
  writer.bytes(payload.bundleKnown.asBytes());
  writer.u16(payload.rehandshakeS).u16(payload.status).bytes(ZEROS);
  KJ_ASSERT(writer.size() == RESP_PAYLOAD_BYTES, writer.size());
  return writer.finish();
}

Result<RespPayload> readRespPayload(Bytes bytes) {
  FlatReader reader(bytes);
  RespPayload payload{reader.id<DeviceId>(), reader.id<BundleHash>(), reader.id<BundleHash>(),
      reader.u16(), reader.u16()};
  expectZeros(reader, RESP_PADDING_BYTES);
  if (!isRehandshake(payload.rehandshakeS)) reader.refuse();
  if (payload.status > static_cast<uint16_t>(LinkStatus::REMOVED)) reader.refuse();
  if (auto end = reader.finish(); !end) return no(end.error());
  return payload;
}

// Nothing is offered or chosen: both sides compute this from signed bundles whose hashes they agree on.
bool isBulk(Protocol protocol, LinkStatus status, bool ownHasAes, bool peerHasAes) {
  return protocol == Protocol::IKHFSPSK2 && status == LinkStatus::OK && ownHasAes && peerHasAes;
}

kj::Duration longer(uint16_t ownS, uint16_t peerS) { return std::max(ownS, peerS) * kj::SECONDS; }

}  // namespace

Result<LinkInitiator> LinkInitiator::begin(
    Setup setup, kj::Maybe<EpochPsk> epochPsk, Entropy& entropy, EphemeralGuard& guard) {
  KJ_REQUIRE(isRehandshake(setup.self.rehandshakeS), setup.self.rehandshakeS);
  auto protocol = epochPsk == nullptr ? Protocol::IKHFS : Protocol::IKHFSPSK2;
  Noise::Keys keys{.own = setup.self.x,
      .remote = setup.peer.x,
      .ephemeral = freshEphemeral(entropy, guard),
      .kemSeed = MlKem::KeySeed::draw(entropy)};
  EpochId epoch;
  KJ_IF_MAYBE(known, epochPsk) {
    epoch = known->epoch;
    keys.psks.add(kj::mv(known->psk).intoPurpose<Psk>());
  }
  auto payload = writeInitPayload(setup, epoch, entropy);
  auto prologue = prologueOf(protocol, setup.self.circle);
  LinkInitiator machine(
      kj::mv(setup), protocol, Noise(setupOf(protocol, true), kj::mv(keys), prologue));
  auto message = machine.noise.write(payload);
  if (!message) return no(message.error());
  machine.message = kj::mv(*message);
  return kj::mv(machine);
}

Buffer LinkInitiator::initRecord() const {
  return writeHsInit(GateKeys::forLink(setup.peer.x), static_cast<uint8_t>(protocol), setup.index,
      message, setup.cookie);
}

Result<Cookie> LinkInitiator::takeCookie(Bytes body) {
  auto reply = readCookie(body);
  if (!reply) return no(reply.error());
  if (reply->receiverIndex != setup.index) {
    return no(Errc::UNKNOWN_PEER, "a cookie for another handshake");
  }
  auto record = initRecord();
  auto init = readHsInit(record.slice(RECORD_HEADER_BYTES, record.size())).value();
  auto cookie = openCookie(GateKeys::forLink(setup.peer.x), init.mac1, *reply);
  if (cookie) setup.cookie = *cookie;
  return cookie;
}

Result<LinkSession> LinkInitiator::finish(Bytes body) {
  auto resp = readHsResp(body);
  if (!resp) return no(resp.error());
  if (resp->receiverIndex != setup.index) {
    return no(Errc::UNKNOWN_PEER, "an answer to another handshake");
  }
  auto opened = noise.read(resp->noise);
  if (!opened) return no(opened.error());
  auto payload = readRespPayload(*opened);
  if (!payload) return no(payload.error());
  if (payload->device != setup.peer.id) {
    return no(Errc::UNKNOWN_PEER, "the responder is another device than the one called");
  }
  // Both sides decide by the status whether this is a bulk link, so a responder that says OK while
  // the views differ is not believed.
  auto status = static_cast<LinkStatus>(payload->status);
  bool agrees = payload->bundle == setup.peer.bundle && payload->bundleKnown == setup.self.bundle;
  if (status == LinkStatus::OK && !agrees) status = LinkStatus::VIEW_DIFFERS;
  return LinkSession{.protocol = protocol,
      .initiator = true,
      .peer = setup.peer.id,
      .ownIndex = setup.index,
      .peerIndex = resp->senderIndex,
      .peerBundle = payload->bundle,
      .status = status,
      .bulk = isBulk(protocol, status, setup.self.hasAes, setup.peer.hasAes),
      .rehandshakeAfter = longer(setup.self.rehandshakeS, payload->rehandshakeS),
      .keys = SessionKeys::from(noise)};
}

Result<void> judge(const LinkOpening& opening, const LinkSelf& self, const LinkCaller& caller) {
  if (opening.x != caller.x) {
    return no(Errc::UNKNOWN_PEER, "the static key is not that of the device it names");
  }
  if (opening.device == self.id) return no(Errc::REPLAY, "this device's own message came back");
  if (opening.initCounter <= caller.lastInitCounter) {
    return no(Errc::REPLAY, "an initiation counter that was used before");
  }
  return {};
}

LinkStatus bundleStatus(
    const LinkOpening& opening, const BundleHash& own, const BundleHash& peerKnown) {
  bool agrees = opening.bundle == peerKnown && opening.bundleKnown == own;
  return agrees ? LinkStatus::OK : LinkStatus::VIEW_DIFFERS;
}

Result<LinkResponder> LinkResponder::open(
    const LinkSelf& self, const HsInit& init, Entropy& entropy, EphemeralGuard& guard) {
  auto protocol = static_cast<Protocol>(init.protocol);
  if (init.suite != SUITE || (protocol != Protocol::IKHFSPSK2 && protocol != Protocol::IKHFS)) {
    return no(Errc::BAD_VERSION, "a handshake of another suite or protocol");
  }
  Noise::Keys keys{.own = self.x,
      .ephemeral = freshEphemeral(entropy, guard),
      .encapsSeed = MlKem::EncapsSeed::draw(entropy)};
  Noise noise(setupOf(protocol, false), kj::mv(keys), prologueOf(protocol, self.circle));
  auto payload = noise.read(init.noise);
  if (!payload) return no(payload.error());
  auto opening = readInitPayload(protocol, init.senderIndex, *payload);
  if (!opening) return no(opening.error());
  KJ_IF_MAYBE(x, noise.remoteStatic()) opening->x = *x;
  return LinkResponder(self, kj::mv(noise), *opening);
}

Result<LinkResponder::Answer> LinkResponder::answer(uint32_t index, kj::Maybe<LinkPsk> psk,
    const BundleHash& peerKnown, LinkStatus status, bool peerHasAes) {
  KJ_REQUIRE((psk != nullptr) == (opened.protocol == Protocol::IKHFSPSK2));
  KJ_REQUIRE(isRehandshake(self.rehandshakeS), self.rehandshakeS);
  KJ_IF_MAYBE(known, psk) noise.supply(kj::mv(*known).intoPurpose<Psk>());
  auto message = noise.write(writeRespPayload(
      {self.id, self.bundle, peerKnown, self.rehandshakeS, static_cast<uint16_t>(status)}));
  if (!message) return no(message.error());
  auto record = writeHsResp(index, opened.peerIndex, *message);
  return Answer{kj::mv(record),
      LinkSession{.protocol = opened.protocol,
          .initiator = false,
          .peer = opened.device,
          .ownIndex = index,
          .peerIndex = opened.peerIndex,
          .peerBundle = opened.bundle,
          .status = status,
          .bulk = isBulk(opened.protocol, status, self.hasAes, peerHasAes),
          .rehandshakeAfter = longer(self.rehandshakeS, opened.rehandshakeS),
          .keys = SessionKeys::from(noise)}};
}

}  // namespace hearth::crypto

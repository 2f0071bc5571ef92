#include "crypto/pairing/channel.h"

#include <algorithm>

namespace hearth::crypto {

PairChannel::PairChannel(SessionKeys keys, bool initiator, uint32_t ownIndex, uint32_t peerIndex)
    : sending(kj::mv(initiator ? keys.i2r : keys.r2i)),
      receiving(kj::mv(initiator ? keys.r2i : keys.i2r)),
      ownIndex(ownIndex),
      peerIndex(peerIndex) {}

kj::Vector<Buffer> PairChannel::send(uint8_t kind, Bytes body) {
  auto message = writeMessage(kind, body);
  kj::Vector<Buffer> records;
  for (size_t at = 0; at < message.size(); at += DATA_FRAME_BYTES_MAX) {
    auto piece = message.slice(at, std::min(at + DATA_FRAME_BYTES_MAX, message.size()));
    auto record =
        sealData(sending, peerIndex, static_cast<uint8_t>(Frame::PAIRING), piece, Padding::OTHER);
    records.add(kj::mv(record.value()));  // a pairing is far too short for a counter to run out
  }
  return records;
}

Result<kj::Vector<Message>> PairChannel::take(Bytes recordBody) {
  auto index = receiverIndexOf(recordBody);
  if (!index) return no(index.error());
  if (*index != ownIndex) return no(Errc::BAD_FORMAT, "a record for other keys");
  auto frame = openData(receiving, recordBody);
  if (!frame) return no(frame.error());
  if (frame->type != static_cast<uint8_t>(Frame::PAIRING)) {
    return no(Errc::BAD_FORMAT, "a frame that has no place in a pairing");
  }
  return reader.feed(frame->body);
}

Noise pairingNoise(bool initiator, const DhSecret& own, DhSecret ephemeral, kj::Maybe<Psk> psk,
    Bytes prologue, Entropy& entropy) {
  Noise::Keys keys{.own = own, .ephemeral = kj::mv(ephemeral)};
  if (initiator) {
    keys.kemSeed = MlKem::KeySeed::draw(entropy);
  } else {
    keys.encapsSeed = MlKem::EncapsSeed::draw(entropy);
  }
  auto protocol = psk == nullptr ? Protocol::XXHFS : Protocol::XXHFSPSK0;
  KJ_IF_MAYBE(given, psk) keys.psks.add(kj::mv(*given));
  return Noise(
      {nameOf(protocol), Pattern::parse(notationOf(protocol)), chaChaPoly(), blake2b(), initiator},
      kj::mv(keys), prologue);
}

}  // namespace hearth::crypto

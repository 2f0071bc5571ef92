#pragma once
// Two devices of one circle, as the targets on records and handshakes play them: `caller` calls
// `callee`. All that is random is drawn from fixed seeds.

#include "crypto/handshake/link-handshake.h"
#include "crypto/handshake/noise.h"
#include "tests/crypto/seeded-entropy.h"
#include "tests/fuzz/target.h"

namespace hearth::fuzz {

using namespace crypto;

struct Party {
  DeviceKeys keys;
  Bundle bundle;

  explicit Party(SeededEntropy entropy)
      : keys(DeviceKeys::fromRootSeed(RootSeed::draw(entropy))),
        bundle{Platform::LINUX, Bundle::AES_HW, 1, keys.publics} {}
};

struct Parties {
  static constexpr uint32_t CALLER_INDEX = 7, CALLEE_INDEX = 9;

  Party caller{SeededEntropy(11)}, callee{SeededEntropy(12)};
  CircleId circle = hashAs<CircleId>("hearth/fuzz-circle/v1", {});
  EpochId epoch = hashAs<EpochId>("hearth/fuzz-epoch/v1", {});

  LinkSelf selfOf(const Party& party) const {
    return {party.keys.id, party.keys.x, party.bundle.hash(), circle, REHANDSHAKE_MAINS_S};
  }
  static LinkPsk psk() {
    SeededEntropy entropy(13);
    return LinkPsk::draw(entropy);
  }

  LinkInitiator initiator(Protocol protocol, Entropy& entropy, EphemeralGuard& guard) const {
    kj::Maybe<LinkInitiator::EpochPsk> known;
    if (protocol == Protocol::IKHFSPSK2) known = LinkInitiator::EpochPsk{epoch, psk()};
    return LinkInitiator::begin(
        {.self = selfOf(caller),
            .peer = {callee.keys.id, callee.keys.publics.x, callee.bundle.hash()},
            .index = CALLER_INDEX,
            .initCounter = 1},
        kj::mv(known), entropy, guard)
        .value();
  }

  // The Noise machine alone, for payloads that no honest device writes.
  Noise noise(Protocol protocol, bool asInitiator, Entropy& entropy) const {
    auto& own = asInitiator ? caller : callee;
    Noise::Keys keys{.own = own.keys.x, .ephemeral = DhSecret::draw(entropy)};
    if (asInitiator) {
      keys.remote = callee.keys.publics.x;
      keys.kemSeed = MlKem::KeySeed::draw(entropy);
    } else {
      keys.encapsSeed = MlKem::EncapsSeed::draw(entropy);
    }
    if (protocol == Protocol::IKHFSPSK2) keys.psks.add(psk().intoPurpose<Psk>());
    FlatWriter prologue;
    prologue.bytes("hearth/link/1"_kj.asBytes()).u8(1).u8(static_cast<uint8_t>(protocol));
    prologue.bytes(circle.asBytes());
    return Noise({nameOf(protocol), Pattern::parse(notationOf(protocol)), chaChaPoly(), blake2b(),
                     asInitiator},
        kj::mv(keys), prologue.asBytes());
  }

  // The payloads that an honest device writes (docs/PROTOCOL.md, "Handshakes").
  Buffer initPayload(Protocol protocol) const {
    FlatWriter out;
    out.u64(1).bytes(zeros(16)).bytes(caller.keys.id.asBytes());
    out.bytes(caller.bundle.hash().asBytes()).bytes(callee.bundle.hash().asBytes());
    out.bytes((protocol == Protocol::IKHFS ? EpochId() : epoch).asBytes());
    out.u16(REHANDSHAKE_MAINS_S).u16(0).u32(0);
    return out.finish();
  }
  Buffer respPayload() const {
    FlatWriter out;
    out.bytes(callee.keys.id.asBytes()).bytes(callee.bundle.hash().asBytes());
    out.bytes(caller.bundle.hash().asBytes()).u16(REHANDSHAKE_MAINS_S).u16(0);
    for (int i = 0; i < 7; ++i) out.u32(0);
    return out.finish();
  }

  static const Parties& get() {
    static const Parties parties;
    return parties;
  }
};

inline Bytes bodyOf(const Buffer& record) {
  return record.slice(RECORD_HEADER_BYTES, record.size());
}

}  // namespace hearth::fuzz

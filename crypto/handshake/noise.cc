#include "crypto/handshake/noise.h"

#include <kj/debug.h>

#include <cstring>

namespace hearth::crypto {

namespace {

template <typename K>
K zeroKey() {
  return K::make([](kj::ArrayPtr<kj::byte>) {});
}

template <typename T>
T& present(kj::Maybe<T>& value, const char* what) {
  KJ_IF_MAYBE(found, value) return *found;
  KJ_FAIL_REQUIRE("the handshake needs a key that was not given", what);
}

}  // namespace

Noise::Noise(Setup setupIn, Keys keysIn, Bytes prologue)
    : setup(kj::mv(setupIn)),
      keys(kj::mv(keysIn)),
      mixesEphemerals(setup.pattern.usesPsk()),
      ck(zeroKey<decltype(ck)>()) {
  auto name = setup.name.asBytes();
  if (name.size() <= setup.hash.bytes()) {
    memcpy(h, name.begin(), name.size());
  } else {
    setup.hash.digest({name}, kj::arrayPtr(h, setup.hash.bytes()));
  }
  ck.assign(kj::arrayPtr(h, NoiseHash::BYTES_MAX));
  mixHash(prologue);

  auto ownStatic = [&]() -> DhPublic {
    KJ_IF_MAYBE(own, keys.own) return publicOf(*own);
    KJ_FAIL_REQUIRE("the pattern needs a static key of this side");
  };
  auto premix = [&](bool ofInitiator) {
    auto pk = ofInitiator == setup.initiator ? ownStatic() : present(keys.remote, "remote static");
    mixHash(pk.asBytes());
  };
  if (setup.pattern.initiatorStaticKnown) premix(true);
  if (setup.pattern.responderStaticKnown) premix(false);
}

Result<Buffer> Noise::write(Bytes payload) {
  KJ_REQUIRE(!dead && !finished() && myTurn(), "not this side's turn to write");
  kj::Vector<kj::byte> out;
  for (auto token: setup.pattern.messages[next]) {
    if (auto written = writeToken(token, out); !written) return no(end(written.error()));
  }
  auto sealed = encryptAndHash(payload);
  if (!sealed) return no(end(sealed.error()));
  out.addAll(*sealed);
  KJ_REQUIRE(out.size() <= MESSAGE_BYTES_MAX, out.size());
  ++next;
  return out.releaseAsArray();
}

Result<Buffer> Noise::read(Bytes message) {
  KJ_REQUIRE(!finished() && !myTurn(), "not this side's turn to read");
  if (dead) return no(Errc::DECRYPT_FAILED, "the handshake has ended");
  if (message.size() > MESSAGE_BYTES_MAX) {
    return no(end({Errc::BAD_LENGTH, "a handshake message longer than Noise allows"}));
  }
  auto rest = message;
  for (auto token: setup.pattern.messages[next]) {
    if (auto read = readToken(token, rest); !read) return no(end(read.error()));
  }
  auto payload = decryptAndHash(rest);
  if (!payload) return no(end(payload.error()));
  ++next;
  return kj::mv(*payload);
}

Noise::Split Noise::split() {
  KJ_REQUIRE(finished() && !dead, "the handshake is not finished");
  auto size = setup.hash.bytes();
  Scratch<NoiseHash::BYTES_MAX> one, two, three;
  setup.hash.hkdf(chaining(), nullptr, {one.writable(), two.writable(), three.writable()});
  dead = true;
  ck.clear();
  cipher = nullptr;
  auto keyOf = [](Bytes output) {
    return CipherKey::from(output.slice(0, NoiseCipher::KEY_BYTES)).value();
  };
  return {CipherState(setup.cipher, keyOf(one.reveal())),
      CipherState(setup.cipher, keyOf(two.reveal())),
      ExporterSecret::make(
          [&](kj::ArrayPtr<kj::byte> out) { memcpy(out.begin(), three.reveal().begin(), size); })};
}

void Noise::mixHash(Bytes data) {
  auto own = kj::arrayPtr(h, setup.hash.bytes());
  setup.hash.digest({own, data}, own);
}

void Noise::setCipher(Bytes output) {
  auto key = output.slice(0, NoiseCipher::KEY_BYTES);
  KJ_IF_MAYBE(state, cipher) {
    state->reset(key);
  } else {
    cipher = CipherState(setup.cipher, CipherKey::from(key).value());
  }
}

void Noise::mixKey(Bytes material) {
  Scratch<NoiseHash::BYTES_MAX> one, two;
  setup.hash.hkdf(chaining(), material, {one.writable(), two.writable()});
  ck.assign(one.reveal());
  setCipher(two.reveal());
}

void Noise::mixKeyAndHash(Bytes material) {
  Scratch<NoiseHash::BYTES_MAX> one, two, three;
  setup.hash.hkdf(chaining(), material, {one.writable(), two.writable(), three.writable()});
  ck.assign(one.reveal());
  mixHash(two.reveal().slice(0, setup.hash.bytes()));
  setCipher(three.reveal());
}

Result<Buffer> Noise::encryptAndHash(Bytes plain) {
  KJ_IF_MAYBE(state, cipher) {
    auto sealed = state->seal(handshakeHash(), plain);
    if (sealed) mixHash(*sealed);
    return sealed;
  }
  mixHash(plain);
  return kj::heapArray(plain);
}

Result<Buffer> Noise::decryptAndHash(Bytes data) {
  KJ_IF_MAYBE(state, cipher) {
    auto opened = state->open(handshakeHash(), data);
    if (opened) mixHash(data);
    return opened;
  }
  mixHash(data);
  return kj::heapArray(data);
}

size_t Noise::sealedSize(size_t plain) const {
  return plain + (cipher == nullptr ? 0 : NoiseCipher::TAG_BYTES);
}

Result<void> Noise::writeToken(Token token, kj::Vector<kj::byte>& out) {
  auto addSealed = [&](Bytes plain) -> Result<void> {
    auto sealed = encryptAndHash(plain);
    if (!sealed) return no(sealed.error());
    out.addAll(*sealed);
    return {};
  };
  switch (token) {
    case Token::E: {
      auto pk = publicOf(keys.ephemeral);
      out.addAll(pk.asBytes());
      mixHash(pk.asBytes());
      if (mixesEphemerals) mixKey(pk.asBytes());
      return {};
    }
    case Token::S: {
      KJ_IF_MAYBE(own, keys.own) return addSealed(publicOf(*own).asBytes());
      KJ_FAIL_REQUIRE("the pattern needs a static key of this side");
    }
    case Token::E1:
      kem = MlKem::generate(present(keys.kemSeed, "KEM seed"));
      keys.kemSeed = nullptr;
      return addSealed(present(kem, "KEM pair").pk.asBytes());
    case Token::EKEM1: {
      auto sent = MlKem::encapsulate(
          present(remoteKem, "remote KEM key"), present(keys.encapsSeed, "encapsulation seed"));
      keys.encapsSeed = nullptr;
      if (!sent) return no(sent.error());
      if (auto added = addSealed(sent->ciphertext); !added) return added;
      mixKey(sent->shared.reveal());
      return {};
    }
    default:
      return mixToken(token);
  }
}

template <typename IdType>
Result<IdType> Noise::readPublic(Bytes& rest, bool sealed) {
  auto size = sealed ? sealedSize(IdType::SIZE) : IdType::SIZE;
  if (rest.size() < size) return no(Errc::BAD_LENGTH, "a handshake message is too short");
  auto taken = rest.slice(0, size);
  rest = rest.slice(size, rest.size());
  if (!sealed) {
    mixHash(taken);
    return IdType::from(taken);
  }
  auto opened = decryptAndHash(taken);
  if (!opened) return no(opened.error());
  return IdType::from(*opened);
}

Result<void> Noise::readToken(Token token, Bytes& rest) {
  switch (token) {
    case Token::E: {
      auto pk = readPublic<DhPublic>(rest, false);
      if (!pk) return no(pk.error());
      remoteEphemeral = *pk;
      if (mixesEphemerals) mixKey(pk->asBytes());
      return {};
    }
    case Token::S: {
      auto pk = readPublic<DhPublic>(rest, true);
      if (!pk) return no(pk.error());
      keys.remote = *pk;
      return {};
    }
    case Token::E1: {
      auto pk = readPublic<MlKem::Public>(rest, true);
      if (!pk) return no(pk.error());
      remoteKem = *pk;
      return {};
    }
    case Token::EKEM1: {
      using Ciphertext = Id<struct CiphertextTag, MlKem::CIPHERTEXT_BYTES>;
      auto ciphertext = readPublic<Ciphertext>(rest, true);
      if (!ciphertext) return no(ciphertext.error());
      auto shared = MlKem::decapsulate(present(kem, "KEM pair").secret, ciphertext->asBytes());
      kem = nullptr;
      if (!shared) return no(shared.error());
      mixKey(shared->reveal());
      return {};
    }
    default:
      return mixToken(token);
  }
}

Result<void> Noise::mixToken(Token token) {
  auto &own = keys.own, ephemeral = kj::Maybe<const DhSecret&>(keys.ephemeral);
  switch (token) {
    case Token::EE:
      return mixDh(ephemeral, remoteEphemeral);
    case Token::SS:
      return mixDh(own, keys.remote);
    case Token::ES:  // the initiator's ephemeral and the responder's static key
      return setup.initiator ? mixDh(ephemeral, keys.remote) : mixDh(own, remoteEphemeral);
    case Token::SE:
      return setup.initiator ? mixDh(own, remoteEphemeral) : mixDh(ephemeral, keys.remote);
    case Token::PSK:
      KJ_REQUIRE(nextPsk < keys.psks.size(), "the handshake needs a psk that was not given");
      mixKeyAndHash(keys.psks[nextPsk++].reveal());
      return {};
    default:
      KJ_UNREACHABLE;
  }
}

Result<void> Noise::mixDh(kj::Maybe<const DhSecret&> own, const kj::Maybe<DhPublic>& remote) {
  KJ_IF_MAYBE(secret, own) {
    KJ_IF_MAYBE(pk, remote) {
      // On the stack: protected memory for each of four results would double a handshake's cost.
      Scratch<DhShared::SIZE> shared;
      auto agreed = agree(*secret, *pk, shared.writable());
      if (agreed) mixKey(shared.reveal());
      return agreed;
    }
  }
  KJ_FAIL_REQUIRE("the handshake needs a key that was not given");
}

Error Noise::end(Error error) {
  dead = true;
  ck.clear();
  cipher = nullptr;
  kem = nullptr;
  keys.ephemeral.clear();
  keys.kemSeed = nullptr;
  keys.encapsSeed = nullptr;
  keys.psks.clear();
  return error;
}

}  // namespace hearth::crypto

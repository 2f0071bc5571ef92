// hearth-vectors noise: the handshake machine against cacophony.json (classical patterns) and
// hybrid.json (the four protocols of Hearth, with split, exporter, exports and rekeying).

#include "apps/hearth-vectors/checks.h"
#include "apps/hearth-vectors/classical-patterns.h"
#include "apps/hearth-vectors/fields.h"
#include "crypto/handshake/session.h"
#include "crypto/vectors/aes-gcm.h"

#include <iostream>
#include <string>
#include <vector>

namespace hearth::vectors {

namespace {

using namespace hearth::crypto;

constexpr size_t FLIPS = 3;  // a bit in the first, a middle and the last byte

struct Suite {
  Pattern pattern;
  const NoiseCipher* cipher;
  const NoiseHash* hash;
};

kj::Maybe<Protocol> hybridProtocol(std::string name) {
  std::erase(name, '+');
  for (auto protocol:
      {Protocol::XXHFS, Protocol::XXHFSPSK0, Protocol::IKHFSPSK2, Protocol::IKHFS}) {
    std::string own = nameOf(protocol).cStr();
    std::erase(own, '+');
    if (own == name) return protocol;
  }
  return nullptr;
}

// Absent for what is not implemented: curve 448, BLAKE2s, patterns not listed.
kj::Maybe<Suite> suiteOf(const std::string& name) {
  KJ_IF_MAYBE(protocol, hybridProtocol(name)) {
    return Suite{Pattern::parse(notationOf(*protocol)), &chaChaPoly(), &blake2b()};
  }
  std::vector<std::string> parts;
  for (size_t at = 0; at <= name.size();) {
    auto end = std::min(name.find('_', at), name.size());
    parts.push_back(name.substr(at, end - at));
    at = end + 1;
  }
  if (parts.size() != 5 || parts[0] != "Noise" || parts[2] != "25519") return nullptr;
  const NoiseCipher* cipher = nullptr;
  for (auto each: {&chaChaPoly(), &aesGcm()}) {
    if (parts[3] == each->name().cStr()) cipher = each;
  }
  const NoiseHash* hash = nullptr;
  for (auto each: {&blake2b(), &sha256(), &sha512()}) {
    if (parts[4] == each->name().cStr()) hash = each;
  }
  if (cipher == nullptr || hash == nullptr) return nullptr;
  KJ_IF_MAYBE(pattern, classicalPattern(parts[1].c_str())) {
    return Suite{kj::mv(*pattern), cipher, hash};
  }
  return nullptr;
}

Pattern copyOf(const Pattern& pattern) {
  Pattern copy;
  copy.initiatorStaticKnown = pattern.initiatorStaticKnown;
  copy.responderStaticKnown = pattern.responderStaticKnown;
  for (auto& message: pattern.messages) copy.messages.add().addAll(message);
  return copy;
}

// One side of a vector's handshake, and the static key that it refers to.
struct Side {
  kj::Maybe<kj::Own<DhSecret>> own;
  kj::Own<Noise> noise;

  Side(const Json& vector, const Suite& suite, bool initiator) {
    std::string side = initiator ? "init_" : "resp_";
    auto field = [&](const char* name) -> const Json* {
      auto found = vector.find(side + name);
      return found == vector.end() ? nullptr : &*found;
    };
    // The responder of a one-way pattern has no ephemeral.
    auto ephemeral = field("ephemeral");
    Noise::Keys keys{.ephemeral = ephemeral != nullptr
            ? typed<DhSecret>(*ephemeral)
            : DhSecret::make([](kj::ArrayPtr<kj::byte>) {})};
    if (auto found = field("static")) {
      auto& held = own.emplace(kj::heap(typed<DhSecret>(*found)));
      keys.own = *held;
    }
    if (auto found = field("remote_static")) keys.remote = typed<DhPublic>(*found);
    if (auto found = field("kem_seed")) keys.kemSeed = typed<MlKem::KeySeed>(*found);
    if (auto found = field("kem_encaps")) keys.encapsSeed = typed<MlKem::EncapsSeed>(*found);
    if (auto found = field("psks")) {
      for (auto& psk: *found) keys.psks.add(typed<Psk>(psk));
    }
    name = text(vector.at("protocol_name"));
    noise = kj::heap<Noise>(
        Noise::Setup{name, copyOf(suite.pattern), *suite.cipher, *suite.hash, initiator},
        kj::mv(keys), bytes(vector.at(side + "prologue")));
  }

 private:
  kj::String name;
};

struct Exchange {
  Side init, resp;

  Exchange(const Json& vector, const Suite& suite)
      : init(vector, suite, true),
        resp(vector, suite, false) {}
  Side& sender(size_t message) { return message % 2 == 0 ? init : resp; }
  Side& reader(size_t message) { return message % 2 == 0 ? resp : init; }
};

// Plays message `at`: what was written must be as stated and must read back.
bool play(Exchange& exchange, const Json& messages, size_t at) {
  auto payload = bytes(messages[at].at("payload"));
  auto ciphertext = bytes(messages[at].at("ciphertext"));
  auto written = exchange.sender(at).noise->write(payload);
  if (!written || written->asPtr() != ciphertext.asPtr()) return false;
  auto read = exchange.reader(at).noise->read(ciphertext);
  return read && read->asPtr() == payload.asPtr();
}

Buffer flipped(Bytes message, size_t which) {
  auto copy = kj::heapArray<kj::byte>(message);
  copy[(copy.size() - 1) * which / (FLIPS - 1)] ^= 1 << which;
  return copy;
}

// A flipped bit in handshake message `at` is refused by its reader, or, where no key was in force
// yet, by the reader of the answer.
bool flipIsRefused(const Json& vector, const Suite& suite, size_t at, size_t which) {
  Exchange exchange(vector, suite);
  auto& messages = vector.at("messages");
  for (size_t before = 0; before < at; ++before) {
    if (!play(exchange, messages, before)) return false;
  }
  if (!exchange.sender(at).noise->write(bytes(messages[at].at("payload")))) return false;
  auto damaged = flipped(bytes(messages[at].at("ciphertext")), which);
  if (!exchange.reader(at).noise->read(damaged)) return true;
  if (exchange.reader(at).noise->finished()) return false;
  auto answer = exchange.sender(at + 1).noise->write(nullptr);
  return !answer || !exchange.reader(at + 1).noise->read(*answer);
}

// One record from `sending` to `receiving`: as stated, refused when a bit flips, and read back.
template <typename Send, typename Receive>
bool record(const Json& message, Send&& send, Receive&& receive) {
  auto payload = bytes(message.at("payload"));
  auto ciphertext = bytes(message.at("ciphertext"));
  auto sealed = send(payload);
  if (!sealed || sealed->asPtr() != ciphertext.asPtr()) return false;
  for (size_t which = 0; which < FLIPS; ++which) {
    if (receive(flipped(ciphertext, which))) return false;
  }
  auto opened = receive(ciphertext);
  return opened && opened->asPtr() == payload.asPtr();
}

bool statesEqual(const Noise::Split& a, const Noise::Split& b) {
  return a.i2r.revealKey() == b.i2r.revealKey() && a.r2i.revealKey() == b.r2i.revealKey() &&
      a.exporter.equals(b.exporter);
}

bool checkRekey(const Json& rekey, Noise::Split& sent, Noise::Split& received) {
  for (auto state: {&sent.i2r, &sent.r2i, &received.i2r, &received.r2i}) state->rekey();
  if (hex(sent.i2r.revealKey()) != rekey.at("i2r")) return false;
  if (hex(sent.r2i.revealKey()) != rekey.at("r2i")) return false;
  for (auto& message: rekey.at("messages")) {
    bool fromInit = message.at("from") == "init";
    auto& sending = fromInit ? sent.i2r : sent.r2i;
    auto& receiving = fromInit ? received.i2r : received.r2i;
    if (sending.counter() != message.at("n").get<uint64_t>()) return false;
    auto send = [&](Bytes plain) { return sending.seal(nullptr, plain); };
    auto receive = [&](Bytes sealed) { return receiving.open(nullptr, sealed); };
    if (!record(message, send, receive)) return false;
  }
  return true;
}

Result<Buffer> sealWith(SendingKey& key, Bytes plain) {
  auto out = kj::heapArray<kj::byte>(plain.size() + NoiseCipher::TAG_BYTES);
  if (auto sealed = key.seal(plain, out); !sealed) return no(sealed.error());
  return kj::mv(out);
}

// Records far into a direction, under the rekeying that SendingKey and ReceivingKey do themselves.
bool checkFar(const Json& far, const Json& split) {
  for (auto from: {"init", "resp"}) {
    auto key = typed<CipherKey>(split.at(from == std::string("init") ? "i2r" : "r2i"));
    SendingKey sending(CipherState(chaChaPoly(), CipherKey::from(key.reveal()).value()));
    ReceivingKey receiving(CipherState(chaChaPoly(), kj::mv(key)));
    for (auto& message: far) {
      if (message.at("from") != from) continue;
      while (sending.counter() < message.at("n").get<uint64_t>()) {
        auto empty = sealWith(sending, nullptr);
        if (!empty || !receiving.open(*empty)) return false;
      }
      auto send = [&](Bytes plain) { return sealWith(sending, plain); };
      auto receive = [&](Bytes sealed) { return receiving.open(sealed); };
      if (!record(message, send, receive)) return false;
    }
  }
  return true;
}

bool checkHybrid(const Json& vector, Bytes handshakeHash, const Noise::Split& split) {
  if (hex(split.i2r.revealKey()) != vector.at("split").at("i2r")) return false;
  if (hex(split.r2i.revealKey()) != vector.at("split").at("r2i")) return false;
  if (hex(split.exporter.reveal()) != vector.at("exporter")) return false;
  auto noiseH = NoiseH::from(handshakeHash).value();
  for (auto& each: vector.at("exports")) {
    auto out = kj::heapArray<kj::byte>(each.at("length").get<size_t>());
    exportKey(split.exporter, noiseH, text(each.at("label")), out);
    if (hex(out) != each.at("out")) return false;
  }
  return true;
}

bool checkVector(const Json& vector, const Suite& suite) {
  auto& messages = vector.at("messages");
  auto handshake = suite.pattern.messages.size();
  Exchange exchange(vector, suite);
  for (size_t at = 0; at < handshake; ++at) {
    if (!play(exchange, messages, at)) return false;
    for (size_t which = 0; which < FLIPS; ++which) {
      if (!flipIsRefused(vector, suite, at, which)) return false;
    }
  }
  auto handshakeHash = kj::heapArray<kj::byte>(exchange.init.noise->handshakeHash());
  if (hex(handshakeHash) != vector.at("handshake_hash")) return false;
  if (exchange.resp.noise->handshakeHash() != handshakeHash.asPtr()) return false;

  auto sent = exchange.init.noise->split(), received = exchange.resp.noise->split();
  if (!statesEqual(sent, received)) return false;
  bool hybrid = vector.contains("split");
  if (hybrid && !checkHybrid(vector, handshakeHash, sent)) return false;

  bool oneWay = handshake == 1;
  for (size_t at = handshake; at < messages.size(); ++at) {
    bool fromInit = oneWay || at % 2 == 0;
    auto& sending = fromInit ? sent.i2r : sent.r2i;
    auto& receiving = fromInit ? received.i2r : received.r2i;
    auto send = [&](Bytes plain) { return sending.seal(nullptr, plain); };
    auto receive = [&](Bytes sealed) { return receiving.open(nullptr, sealed); };
    if (!record(messages[at], send, receive)) return false;
  }
  return !hybrid ||
      (checkFar(vector.at("far"), vector.at("split")) &&
          checkRekey(vector.at("rekey"), sent, received));
}

}  // namespace

Tally checkNoise(const Json& file) {
  Tally tally;
  size_t index = 0;
  for (auto& vector: file.at("vectors")) {
    auto name = vector.at("protocol_name").get<std::string>();
    KJ_IF_MAYBE(suite, suiteOf(name)) {
      bool passed = checkVector(vector, *suite);
      ++(passed ? tally.passed : tally.failed);
      if (!passed) std::cerr << "failed: vector " << index << ", " << name << "\n";
    } else {
      ++tally.skipped;
    }
    ++index;
  }
  return tally;
}

}  // namespace hearth::vectors

// Whether time depends on secrets: each case marks its secrets as undefined and does what the product
// does with them, under valgrind's memcheck, which complains of a branch or an address that depends on
// undefined bytes (the method of ctgrind). Run by tests/constant-time/check.
//
//   secrets CASE      mac, cookie, sas, token, keys, cpace, handshake-keys
//   secrets leak      a comparison that ends at the first difference: must be found

#include "crypto/handshake/cookies.h"
#include "crypto/identity/circle-keys.h"
#include "crypto/pairing/cpace.h"
#include "crypto/pairing/qr.h"
#include "crypto/pairing/sas.h"

#include <kj/debug.h>

#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <valgrind/memcheck.h>

namespace hearth::crypto {
namespace {

constexpr int SKIPPED = 4;

void hide(Bytes secret) { VALGRIND_MAKE_MEM_UNDEFINED(secret.begin(), secret.size()); }
void show(Bytes result) { VALGRIND_MAKE_MEM_DEFINED(result.begin(), result.size()); }

// An outcome that everybody sees anyway.
bool told(bool outcome) {
  VALGRIND_MAKE_MEM_DEFINED(&outcome, sizeof(outcome));
  return outcome;
}

struct HiddenEntropy final: public Entropy {
  SystemEntropy system;
  void fill(kj::ArrayPtr<kj::byte> out) override {
    system.fill(out);
    hide(out);
  }
};

template <typename IdType>
IdType hidden() {
  SystemEntropy entropy;
  auto id = entropy.draw<IdType>();
  hide(id.asBytes());
  return id;
}

void compareMacs() {
  auto one = hidden<Mac16>(), other = hidden<Mac16>();
  KJ_REQUIRE(!told(equalSecrets(one.asBytes(), other.asBytes())));
  KJ_REQUIRE(told(equalSecrets(one.asBytes(), one.asBytes())));
}

// mac2 under a cookie that the sender does not know.
void compareCookies() {
  SystemEntropy entropy;
  auto secret = CookieSecret::draw(entropy);
  hide(secret.reveal());
  SourceAddress source{.port = 7};
  auto cookie = cookieFor(secret, source);
  auto gate = GateKeys::forPairing(entropy.draw<Digest>());
  auto record = writeHsInit(gate, 3, 1, "noise"_kj.asBytes(), nullptr);
  auto init = readHsInit(record.slice(RECORD_HEADER_BYTES, record.size())).value();
  KJ_REQUIRE(!told(mac2Holds(cookie, init)));
}

// Pictures are shown to whoever stands there; what they come from, and the commit, is compared.
void compareSas() {
  auto admin = hidden<PairContribution>(), joiner = hidden<PairContribution>();
  auto commit = sasCommit(joiner);
  KJ_REQUIRE(told(equalSecrets(commit.asBytes(), sasCommit(joiner).asBytes())));
  auto sas = sasOf(hidden<NoiseH>(), admin, joiner, BundleHash(), BundleHash());
  auto other = sasOf(hidden<NoiseH>(), admin, joiner, BundleHash(), BundleHash());
  KJ_REQUIRE(!told(equalSecrets(sas.value.asBytes(), other.value.asBytes())));
  SystemEntropy entropy;
  auto secret = QrSecret::draw(entropy);
  hide(secret.reveal());
  Bundle bundle{Platform::LINUX, 0, 1, {}};
  auto commitment = qrCommitment(bundle, secret);
  KJ_REQUIRE(told(equalSecrets(commitment.asBytes(), qrCommitment(bundle, secret).asBytes())));
}

// A key that somebody shows, against the one that was given out.
void compareTokens() {
  using Token = Key<struct TokenTag, 32>;
  HiddenEntropy entropy;
  auto given = Token::draw(entropy), shown = Token::draw(entropy);
  KJ_REQUIRE(!told(given.equals(shown)));
}

// The key of a peer, found by names that everybody may know.
void lookUpKeys() {
  HiddenEntropy entropy;
  SystemEntropy open;
  std::map<EpochId, EpochSecret> epochs;
  for (int i = 0; i < 3; ++i) epochs.emplace(open.draw<EpochId>(), EpochSecret::draw(entropy));
  auto circle = open.draw<CircleId>();
  auto self = open.draw<DeviceId>(), peer = open.draw<DeviceId>();
  auto& [id, secret] = *std::next(epochs.begin());
  auto psk = linkPsk(secret, {circle, id}, self, peer);
  KJ_REQUIRE(told(psk.equals(linkPsk(epochs.at(id), {circle, id}, peer, self))));
  auto vault = vaultPsk(secret, circle, epochCommit(circle, 1, secret), peer);
  hide(vaultLinkPsk(vault, peer, self).reveal());
}

void agreeByCode() {
  auto words = Secret::copyOf("pond dirt hold sea crumble ivory"_kj.asBytes());
  hide(words.reveal());
  HiddenEntropy entropy;
  Cpace::Setting setting{words.reveal(), "ci"_kj.asBytes(), "sid"_kj.asBytes(),
      "admin"_kj.asBytes(), "new"_kj.asBytes()};
  auto generator = Cpace::generator(Cpace::generatorString(setting).reveal());
  auto own = Cpace::drawScalar(entropy), theirs = Cpace::drawScalar(entropy);
  auto ownPoint = Cpace::multiply(own, generator), theirPoint = Cpace::multiply(theirs, generator);
  show(ownPoint.asBytes());  // they are sent
  show(theirPoint.asBytes());
  auto ours = Cpace::isk(setting, Cpace::agree(own, theirPoint).value(), ownPoint, theirPoint);
  auto other = Cpace::isk(setting, Cpace::agree(theirs, ownPoint).value(), ownPoint, theirPoint);
  KJ_REQUIRE(told(ours.equals(other)));
}

// The secrets of a handshake: X25519, and ML-KEM with a ciphertext that is right and one that is not.
void agreeByHandshake() {
  HiddenEntropy entropy;
  auto own = DhSecret::draw(entropy), peer = DhSecret::draw(entropy);
  auto peerPublic = publicOf(peer);
  show(peerPublic.asBytes());
  hide(agree(own, peerPublic).value().reveal());

  // Of a decapsulation key the part that is secret: s and z of FIPS 203; the rest is the public key.
  constexpr size_t S_BYTES = 1152, Z_BYTES = 32;
  SystemEntropy open;
  auto pair = MlKem::generate(MlKem::KeySeed::draw(open));
  auto sent = MlKem::encapsulate(pair.pk, MlKem::EncapsSeed::draw(open)).value();
  auto bytes = pair.secret.reveal();
  hide(bytes.slice(0, S_BYTES));
  hide(bytes.slice(bytes.size() - Z_BYTES, bytes.size()));
  auto right = MlKem::decapsulate(pair.secret, sent.ciphertext).value();
  KJ_REQUIRE(told(right.equals(sent.shared)));
  sent.ciphertext[7] ^= 1;
  auto wrong = MlKem::decapsulate(pair.secret, sent.ciphertext).value();
  KJ_REQUIRE(!told(wrong.equals(sent.shared)));
}

int firstDifference(Bytes a, Bytes b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return static_cast<int>(i);
  }
  return -1;
}

void leak() {
  auto one = hidden<Mac16>(), other = hidden<Mac16>();
  std::printf("%d\n", firstDifference(one.asBytes(), other.asBytes()));
}

const std::map<std::string, std::function<void()>> CASES = {{"mac", compareMacs},
    {"cookie", compareCookies}, {"sas", compareSas}, {"token", compareTokens}, {"keys", lookUpKeys},
    {"cpace", agreeByCode}, {"handshake-keys", agreeByHandshake}, {"leak", leak}};

}  // namespace
}  // namespace hearth::crypto

int main(int argc, char* argv[]) {
  auto wanted = argc > 1 ? hearth::crypto::CASES.find(argv[1]) : hearth::crypto::CASES.end();
  if (wanted == hearth::crypto::CASES.end()) {
    std::fprintf(stderr, "secrets: name a case\n");
    return 2;
  }
  if (RUNNING_ON_VALGRIND == 0) return hearth::crypto::SKIPPED;
  wanted->second();
  return 0;
}

#include "apps/hearth-vectors/checks.h"
#include "apps/hearth-vectors/fields.h"
#include "crypto/primitives/aead.h"
#include "crypto/primitives/exchange.h"
#include "crypto/vectors/primitives.h"

#include <iostream>

namespace hearth::vectors {

namespace {

using namespace hearth::crypto;

bool same(Bytes a, const Json& hexOfB) { return a == bytes(hexOfB).asPtr(); }

// Each says whether a test is accepted with the result that it names.

// X25519 refuses what comes out all zero, which the file calls "acceptable" (RFC 7748 §6.1).
bool xdh(const Json&, const Json& test) {
  auto shared = agree(typed<DhSecret>(test.at("private")), typed<DhPublic>(test.at("public")));
  return shared.has_value() && same(shared->reveal(), test.at("shared"));
}

bool eddsa(const Json& group, const Json& test) {
  return verifyEd25519(
      bytes(group.at("publicKey").at("pk")), bytes(test.at("msg")), bytes(test.at("sig")));
}

bool aead(const Json&, const Json& test) {
  auto nonce = ChaChaPoly::Nonce::from(bytes(test.at("iv")));
  if (!nonce) return false;
  auto sealed = bytes(test.at("ct").get<std::string>() + test.at("tag").get<std::string>());
  auto key = bytes(test.at("key")), ad = bytes(test.at("aad"));
  auto opened = ChaChaPoly::open(key, *nonce, ad, sealed);
  return opened.has_value() && same(*opened, test.at("msg")) &&
      ChaChaPoly::seal(key, *nonce, ad, *opened) == sealed;
}

bool mlkem(const Json&, const Json& test) {
  auto seed = MlKem::KeySeed::from(bytes(test.at("seed")));
  if (!seed) return false;
  auto pair = MlKem::generate(*seed);
  auto shared = MlKem::decapsulate(pair.secret, bytes(test.at("c")));
  bool ownKey = !test.contains("ek") || same(pair.pk.asBytes(), test.at("ek"));
  return ownKey && shared.has_value() && same(shared->reveal(), test.at("K"));
}

bool hkdf(const Json&, const Json& test) {
  auto okm = hkdfSha256(bytes(test.at("salt")), bytes(test.at("ikm")), bytes(test.at("info")),
      test.at("size").get<size_t>());
  return okm.has_value() && same(*okm, test.at("okm"));
}

bool ecdsa(const Json& group, const Json& test) {
  return verifyEcdsaP256(
      bytes(group.at("publicKeyDer")), bytes(test.at("msg")), bytes(test.at("sig")));
}

struct Kind {
  const char* type;
  bool (*accepts)(const Json& group, const Json& test);
};

constexpr Kind KINDS[] = {
    {"XdhComp", &xdh},
    {"EddsaVerify", &eddsa},
    {"AeadTest", &aead},
    {"MLKEMTest", &mlkem},
    {"HkdfTest", &hkdf},
    {"EcdsaVerify", &ecdsa},
};

const Kind& kindOf(const Json& group) {
  auto type = group.at("type").get<std::string>();
  for (auto& kind: KINDS) {
    if (type == kind.type) return kind;
  }
  throw std::invalid_argument("tests of a type that is not known");
}

// "acceptable": whether it is accepted is ours to say, and we refuse results of all zeros alone.
bool shouldAccept(const Json& test) {
  auto result = test.at("result").get<std::string>();
  if (result != "acceptable") return result == "valid";
  return test.at("shared").get<std::string>().find_first_not_of('0') != std::string::npos;
}

}  // namespace

Tally checkWycheproof(const Json& file) {
  Tally tally;
  for (auto& group: file.at("testGroups")) {
    auto& kind = kindOf(group);
    for (auto& test: group.at("tests")) {
      bool passed = kind.accepts(group, test) == shouldAccept(test);
      ++(passed ? tally.passed : tally.failed);
      if (!passed) std::cerr << "failed: test " << test.at("tcId") << "\n";
    }
  }
  return tally;
}

}  // namespace hearth::vectors

#include "apps/hearth-vectors/answers.h"
#include "crypto/primitives/envelope.h"
#include "crypto/primitives/hash.h"
#include "crypto/primitives/row-hash.h"

namespace hearth::vectors {

namespace {

using namespace hearth::crypto;

Json hashAnswer(const Json& in) {
  return {{"hash", hex(hash(text(in.at("label")), {bytes(in.at("x"))}).asBytes())}};
}

Json macAnswer(const Json& in) {
  auto key = bytes(in.at("key"));
  auto label = text(in.at("label"));
  auto x = bytes(in.at("x"));
  return {{"mac", hex(mac(key, label, {x}).asBytes())},
      {"mac16", hex(mac16(key, label, {x}).asBytes())}};
}

Json kdfAnswer(const Json& in) {
  auto out = kj::heapArray<kj::byte>(in.at("length").get<size_t>());
  kdf(bytes(in.at("secret")), text(in.at("label")), {bytes(in.at("ctx"))}, out);
  return {{"okm", hex(out)}};
}

Json sigAnswer(const Json& in) {
  KJ_IF_MAYBE(type, sigTypeOf(text(in.at("type")))) {
    auto body = bytes(in.at("body"));
    Json sigs = Json::array();
    kj::Vector<Signed> signatures;
    for (auto& each: in.at("signers")) {
      auto pair = SignPair::fromSeed(typed<SignSeed>(each.at("ed_seed")));
      auto signature = sign(pair.secret, *type, body);
      if (!verify(pair.pk, *type, body, signature)) return nullptr;
      sigs.push_back(hex(signature.asBytes()));
      signatures.add(Signed{typed<DeviceId>(each.at("id")), signature});
    }
    auto envelope = writeEnvelope(*type, body, signatures);
    if (!readEnvelope(*type, envelope, body.size())) return nullptr;
    return {{"pae", hex(pae(*type, body))}, {"sigs", sigs}, {"envelope", hex(envelope)}};
  }
  return nullptr;
}

Json rowHashAnswer(const Json& in) {
  return {{"row_hash",
      hex(rowHash(text(in.at("table")), in.at("index").get<uint64_t>(),
          typed<Digest>(in.at("prev")), bytes(in.at("row")))
              .asBytes())}};
}

constexpr AnswerKind KINDS[] = {
    {"hash", &hashAnswer},
    {"mac", &macAnswer},
    {"kdf", &kdfAnswer},
    {"sig", &sigAnswer},
    {"row_hash", &rowHashAnswer},
};

}  // namespace

kj::ArrayPtr<const AnswerKind> primitiveAnswers() { return KINDS; }

}  // namespace hearth::vectors

#include "apps/hearth-vectors/answers.h"
#include "crypto/pairing/code.h"
#include "crypto/pairing/qr.h"
#include "crypto/pairing/sas.h"
#include "crypto/primitives/hash.h"

#include <arpa/inet.h>

namespace hearth::vectors {

namespace {

using namespace hearth::crypto;

Json pairHelloAnswer(const Json& in) {
  auto method = static_cast<PairMethod>(in.at("method").get<uint8_t>());
  auto hello = PairHello{method, typed<PairNonce>(in.at("nonce_a"))}.body();
  auto reply = PairHello{method, typed<PairNonce>(in.at("nonce_b"))}.body();
  auto hashed = helloHash(hello, reply);
  return {{"pair_hello", hex(hello)}, {"pair_reply", hex(reply)},
      {"hello_hash", hex(hashed.asBytes())}, {"prologue", hex(pairPrologue(method, hashed))}};
}

Json cpaceOf(const Cpace::Setting& setting, const Cpace::Scalar& ya, const Cpace::Scalar& yb) {
  auto string = Cpace::generatorString(setting);
  auto g = Cpace::generator(string.reveal());
  auto a = Cpace::multiply(ya, g), b = Cpace::multiply(yb, g);
  auto shared = Cpace::agree(ya, b).value();
  if (!shared.equals(Cpace::agree(yb, a).value())) return nullptr;
  return {{"gen_str", hex(string.reveal())}, {"g", hex(g.asBytes())}, {"Ya", hex(a.asBytes())},
      {"Yb", hex(b.asBytes())}, {"K", hex(shared.reveal())},
      {"isk", hex(Cpace::isk(setting, shared, a, b).reveal())}};
}

Json cpaceAnswer(const Json& in) {
  auto prs = bytes(in.at("prs")), ci = bytes(in.at("ci")), sid = bytes(in.at("sid"));
  auto ada = bytes(in.at("ada")), adb = bytes(in.at("adb"));
  return cpaceOf({prs, ci, sid, ada, adb}, typed<Cpace::Scalar>(in.at("ya")),
      typed<Cpace::Scalar>(in.at("yb")));
}

Json pairCodeAnswer(const Json& in) {
  auto code = PairingCode::parse(text(in.at("code")).asBytes()).value();
  auto a = typed<PairNonce>(in.at("nonce_a")), b = typed<PairNonce>(in.at("nonce_b"));
  auto ya = [&] { return typed<Cpace::Scalar>(in.at("ya")); };
  auto yb = [&] { return typed<Cpace::Scalar>(in.at("yb")); };
  auto hashed =
      helloHash(PairHello{PairMethod::CODE, a}.body(), PairHello{PairMethod::CODE, b}.body());
  CodeExchange admin(code, a, b, ya()), joiner(code, a, b, yb());
  auto psk = admin.finish(true, joiner.share(), hashed).value();
  if (!psk.equals(joiner.finish(false, admin.share(), hashed).value())) return nullptr;

  kj::Vector<kj::byte> sid;
  sid.addAll(a.asBytes());
  sid.addAll(b.asBytes());
  auto out = cpaceOf(codeSetting(code.reveal(), sid), ya(), yb());
  out["hello_hash"] = hex(hashed.asBytes());
  out["psk0"] = hex(psk.reveal());
  return out;
}

QrHint hintOf(const Json& hint) {
  QrHint result{.port = hint.at("port").get<uint16_t>()};
  auto address = text(hint.at("address"));
  bool isV6 = address.findFirst(':') != nullptr;
  result.address.resize(isV6 ? 16 : 4);
  if (inet_pton(isV6 ? AF_INET6 : AF_INET, address.cStr(), result.address.begin()) != 1) {
    throw std::invalid_argument("not an address");
  }
  return result;
}

Json qrAnswer(const Json& in) {
  auto keys = DeviceKeys::fromRootSeed(typed<RootSeed>(in.at("root_seed")));
  Bundle bundle{static_cast<Platform>(in.at("platform").get<uint8_t>()),
      in.at("flags").get<uint32_t>(), in.at("bundle_version").get<uint32_t>(), keys.publics};
  auto secret = typed<QrSecret>(in.at("qr_secret"));
  kj::Vector<QrHint> hints;
  for (auto& hint: in.at("hints")) hints.add(hintOf(hint));
  auto commitment = qrCommitment(bundle, secret);
  auto payload = qrPayload(commitment, secret, hints);
  return {{"commitment", hex(commitment.asBytes())}, {"payload", hex(payload)},
      {"text", qrText(payload).cStr()},
      {"psk0", hex(qrPsk(secret, commitment, typed<Digest>(in.at("hello_hash"))).reveal())}};
}

Json sasAnswer(const Json& in) {
  auto joiner = typed<PairContribution>(in.at("nr"));
  auto sas = sasOf(typed<NoiseH>(in.at("noise_h")), typed<PairContribution>(in.at("ni")), joiner,
      typed<BundleHash>(in.at("bundle_hash_a")), typed<BundleHash>(in.at("bundle_hash_b")));
  Json names = Json::array(), points = Json::array();
  for (auto& picture: sas.pictures()) {
    names.push_back(picture.name.cStr());
    char point[8];
    snprintf(point, sizeof(point), "%X", picture.codePoint);
    points.push_back(point);
  }
  return {{"commit", hex(sasCommit(joiner).asBytes())}, {"sas", hex(sas.value.asBytes())},
      {"emoji", names}, {"code_points", points}, {"digits", sas.digits().cStr()}};
}

constexpr AnswerKind KINDS[] = {
    {"pair_hello", &pairHelloAnswer},
    {"cpace", &cpaceAnswer},
    {"pair_code", &pairCodeAnswer},
    {"qr", &qrAnswer},
    {"sas", &sasAnswer},
};

}  // namespace

kj::ArrayPtr<const AnswerKind> pairingAnswers() { return KINDS; }

}  // namespace hearth::vectors

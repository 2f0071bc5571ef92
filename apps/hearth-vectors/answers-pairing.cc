#include "apps/hearth-vectors/answers.h"
#include "crypto/pairing/code.h"
#include "crypto/primitives/hash.h"

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

constexpr AnswerKind KINDS[] = {
    {"pair_hello", &pairHelloAnswer},
    {"cpace", &cpaceAnswer},
    {"pair_code", &pairCodeAnswer},
};

}  // namespace

kj::ArrayPtr<const AnswerKind> pairingAnswers() { return KINDS; }

}  // namespace hearth::vectors

#include "bindings/local/invitation.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::local {
namespace {

using crypto::PairMethod;

constexpr kj::StringPtr WORDS = "pond dirt hold sea crumble ivory"_kj;

// A QR code that names these places.
kj::String qrWith(kj::Vector<crypto::QrHint> hints) {
  auto secret = crypto::QrSecret::make(
      [](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), 7, out.size()); });
  return crypto::qrText(crypto::qrPayload(Digest(), secret, hints));
}

crypto::QrHint hint(std::initializer_list<kj::byte> address) {
  crypto::QrHint made{.port = 7427};
  for (auto byte: address) made.address.add(byte);
  return made;
}

TEST_CASE("what is said decides by what a device is brought in") {
  auto methodOf = [](kj::StringPtr code) {
    return crypto::methodOf(readInvitation(code, "box:7427"_kj).value().means);
  };
  REQUIRE(methodOf(WORDS) == PairMethod::CODE);
  REQUIRE(methodOf(qrWith({})) == PairMethod::QR);
  REQUIRE(methodOf("") == PairMethod::SAS);
}

TEST_CASE("the places of a QR code count where no address is given, of either family") {
  kj::Vector<crypto::QrHint> hints;
  hints.add(hint({10, 0, 0, 7}));
  hints.add(hint({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}));
  auto code = qrWith(kj::mv(hints));
  REQUIRE(readInvitation(code, "").value().addresses ==
      std::vector<std::string>{"10.0.0.7:7427", "[::1]:7427"});
  REQUIRE(readInvitation(code, "box:1").value().addresses == std::vector<std::string>{"box:1"});
}

TEST_CASE("what is no invitation is refused, with what to do instead") {
  auto refused = [](kj::StringPtr code, kj::StringPtr address) {
    return kj::str(readInvitation(code, address).error().because);
  };
  REQUIRE(refused(WORDS, "").startsWith("say where the new device waits: --at"));
  REQUIRE(refused("", "").startsWith("say where the new device waits: --at"));
  REQUIRE(refused("pond dirt", "box:1").startsWith("the code is six words"));
  REQUIRE(refused(kj::str(kj::repeat('x', 257)), "box:1").startsWith("too long for a code"));
  REQUIRE(refused("HEARTH1:AAAA", "") != nullptr);
}

}  // namespace
}  // namespace hearth::local

#include "devices/linux/tpm.h"
#include "devices/node/private-file.h"
#include "tests/devices/home-in-memory.h"
#include "tests/devices/software-tpm.h"

#include <kj/debug.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

namespace hearth::devices {
namespace {

const kj::Path ROOT_FILE({"keys", "platform-root"});

SoftwareTpm startTpm() {
  auto tpm = SoftwareTpm::start();
  if (tpm == nullptr) SKIP("swtpm is not installed");
  return kj::mv(KJ_ASSERT_NONNULL(tpm));
}

kj::Own<Tpm> reach(const SoftwareTpm& machine) {
  auto tpm = Tpm::open(machine.tcti());
  return kj::mv(KJ_ASSERT_NONNULL(tpm));
}

TEST_CASE("what a TPM has sealed it opens again, for who has the authorisation value") {
  auto machine = startTpm();
  auto tpm = reach(machine);
  SystemEntropy entropy;
  auto auth = TpmAuth::draw(entropy), other = TpmAuth::draw(entropy);
  auto sealed = tpm->seal("thirty-two bytes of a secret root"_kj.asBytes(), auth).value();
  REQUIRE(tpm->unseal(sealed, auth)->reveal() == "thirty-two bytes of a secret root"_kj.asBytes());
  REQUIRE(tpm->unseal(sealed, other).error().code == Errc::EVIDENCE_REJECTED);
  sealed.privatePart[20] ^= 1;
  REQUIRE(tpm->unseal(sealed, auth).error().code == Errc::EVIDENCE_REJECTED);
}

TEST_CASE("a TPM's few slots are empty again after each call") {
  auto machine = startTpm();
  auto tpm = reach(machine);
  SystemEntropy entropy;
  auto auth = TpmAuth::draw(entropy);
  for (int i = 0; i < 8; ++i) {
    auto sealed = tpm->seal("secret"_kj.asBytes(), auth);
    REQUIRE(sealed.has_value());
    REQUIRE(tpm->unseal(*sealed, auth).has_value());
  }
}

TEST_CASE("a root that a TPM sealed opens on that machine alone") {
  auto machine = startTpm();
  HomeInMemory home;
  auto keys = home.store(machine.tcti());
  auto& root = keys.platformRoot();
  REQUIRE(keys.sealedBy() == RootSeal::TPM);
  auto file = KJ_ASSERT_NONNULL(readPrivate(*home.directory, ROOT_FILE));
  REQUIRE(std::search(file.begin(), file.end(), root.reveal().begin(), root.reveal().end()) ==
      file.end());
  REQUIRE(home.store(machine.tcti()).platformRoot().equals(root));
  auto elsewhere = startTpm();
  auto thief = home.store(elsewhere.tcti());
  REQUIRE_THROWS(thief.platformRoot());
  auto without = home.store();
  REQUIRE_THROWS(without.platformRoot());
}

TEST_CASE("a machine that starts otherwise does not open its keys") {
  auto machine = startTpm();
  auto tpm = reach(machine);
  SystemEntropy entropy;
  auto auth = TpmAuth::draw(entropy);
  auto sealed = tpm->seal("secret"_kj.asBytes(), auth).value();
  tpm->extendPcr7(entropy.draw<Digest>().asBytes());
  REQUIRE(tpm->unseal(sealed, auth).error().code == Errc::MEASUREMENT_MISMATCH);
}

}  // namespace
}  // namespace hearth::devices

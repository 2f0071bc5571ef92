// The counter behind the rollback anchor in a TPM (SECURITY.md §7.4, §10.4), and each way in which a
// machine cannot give one.

#include "core/entropy/entropy.h"
#include "devices/linux/tpm-counter.h"
#include "tests/devices/software-tpm.h"
#include "tests/devices/tpm-owner.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::devices {
namespace {

struct Machine {
  SystemEntropy entropy;
  Digest home = entropy.draw<Digest>();
  SoftwareTpm chip = start();
  TpmOwner owner{chip.tcti()};
  TpmCounter counter{chip.tcti(), home};

  static SoftwareTpm start() {
    auto tpm = SoftwareTpm::start();
    if (tpm == nullptr) SKIP("swtpm is not installed");
    return kj::mv(KJ_ASSERT_NONNULL(tpm));
  }

  uint64_t now() {
    auto value = counter.read().value();
    return KJ_REQUIRE_NONNULL(value);
  }
};

TEST_CASE("a TPM's counter is none before its first step, and then goes on by ones") {
  Machine machine;
  REQUIRE(machine.counter.read().value() == nullptr);
  auto first = machine.counter.advance().value();
  REQUIRE(machine.now() == first);
  REQUIRE(machine.counter.advance().value() == first + 1);
  TpmCounter again(machine.chip.tcti(), machine.home);  // the next process
  REQUIRE(again.advance().value() == first + 2);
  REQUIRE(machine.now() == first + 2);
}

TEST_CASE("a TPM's counter that was removed begins beyond where it stood") {
  Machine machine;
  machine.counter.advance().value();
  auto last = machine.counter.advance().value();
  machine.owner.removeCounter();
  REQUIRE(machine.counter.read().value() == nullptr);
  REQUIRE(machine.counter.advance().value() > last);
}

TEST_CASE("a TPM that was cleared counts on from where it stood") {
  Machine machine;
  machine.counter.advance().value();
  auto last = machine.counter.advance().value();
  machine.owner.clear();
  REQUIRE(machine.counter.read().value() == nullptr);
  REQUIRE(machine.counter.advance().value() > last);
}

TEST_CASE(
    "a second home on a machine is refused the counter of the first, and does not move it on") {
  Machine machine;
  auto first = machine.counter.advance().value();
  TpmCounter other(machine.chip.tcti(), machine.entropy.draw<Digest>());
  REQUIRE(other.read().error().code == Errc::EVIDENCE_REJECTED);
  REQUIRE(other.advance().error().code == Errc::EVIDENCE_REJECTED);
  REQUIRE(machine.now() == first);
}

TEST_CASE("an index that another program has made is left alone") {
  Machine machine;
  machine.owner.makeStrangersCounter();
  REQUIRE(machine.counter.read().error().code == Errc::EVIDENCE_REJECTED);
  REQUIRE(machine.counter.advance().error().code == Errc::EVIDENCE_REJECTED);
}

TEST_CASE("a TPM with an owner password gives no counter, and the line says what to do") {
  Machine machine;
  machine.owner.setPassword("secret");
  auto refused = machine.counter.advance().error();
  REQUIRE(refused.code == Errc::POLICY_DENIED);
  REQUIRE(strstr(refused.because.cStr(), "owner password") != nullptr);
}

TEST_CASE("a counter whose TPM is given an owner password later is refused by name") {
  Machine machine;
  machine.counter.advance().value();
  machine.owner.setPassword("secret");
  REQUIRE(machine.counter.read().error().code == Errc::POLICY_DENIED);
  REQUIRE(machine.counter.advance().error().code == Errc::POLICY_DENIED);
}

TEST_CASE("a TPM whose memory is full gives no counter, and the line says so") {
  Machine machine;
  REQUIRE(machine.owner.fill() > 0);
  auto refused = machine.counter.advance().error();
  REQUIRE(refused.code == Errc::LIMIT_EXCEEDED);
  REQUIRE(strstr(refused.because.cStr(), "no room") != nullptr);
}

TEST_CASE("a TPM that has gone away does not answer, and comes back later") {
  Machine machine;
  TpmCounter gone("swtpm:host=127.0.0.1,port=1", machine.home);
  REQUIRE(gone.read().error().code == Errc::BUSY);
  REQUIRE(gone.advance().error().code == Errc::BUSY);
}

TEST_CASE("a TPM's slots are empty again after each step of its counter") {
  Machine machine;
  for (int i = 0; i < 16; ++i) REQUIRE(machine.counter.advance().has_value());
}

}  // namespace
}  // namespace hearth::devices

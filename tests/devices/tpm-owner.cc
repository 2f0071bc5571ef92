#include "tests/devices/tpm-owner.h"

#include "devices/linux/tpm-context.h"
#include "devices/linux/tpm-counter.h"

#include <kj/debug.h>

#include <cstring>

namespace hearth::devices {

namespace {

constexpr ESYS_TR NONE = ESYS_TR_NONE;
constexpr TPMA_NV PLAIN = TPMA_NV_OWNERREAD | TPMA_NV_OWNERWRITE;
constexpr TPMA_NV COUNTER = PLAIN | TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT;

struct Reached: TpmContext {
  explicit Reached(kj::StringPtr tcti) { KJ_REQUIRE(open(tcti)); }
};

TSS2_RC define(TpmContext& tpm, uint32_t index, TPMA_NV attributes, uint16_t bytes) {
  TPM2B_AUTH none = {};
  TPM2B_NV_PUBLIC wanted = {};
  wanted.nvPublic.nvIndex = index;
  wanted.nvPublic.nameAlg = TPM2_ALG_SHA256;
  wanted.nvPublic.attributes = attributes;
  wanted.nvPublic.dataSize = bytes;
  ESYS_TR handle = NONE;
  return Esys_NV_DefineSpace(
      tpm.esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, NONE, NONE, &none, &wanted, &handle);
}

}  // namespace

void TpmOwner::setPassword(kj::StringPtr password) const {
  Reached tpm(tcti);
  TPM2B_AUTH auth = {};
  auth.size = static_cast<uint16_t>(password.size());
  memcpy(auth.buffer, password.begin(), password.size());
  KJ_REQUIRE(Esys_HierarchyChangeAuth(
                 tpm.esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, NONE, NONE, &auth) == 0);
}

void TpmOwner::removeCounter() const {
  Reached tpm(tcti);
  ESYS_TR handle = NONE;
  KJ_REQUIRE(Esys_TR_FromTPMPublic(tpm.esys, TpmCounter::INDEX, NONE, NONE, NONE, &handle) == 0 &&
      Esys_NV_UndefineSpace(tpm.esys, ESYS_TR_RH_OWNER, handle, ESYS_TR_PASSWORD, NONE, NONE) == 0);
}

void TpmOwner::makeStrangersCounter() const {
  Reached tpm(tcti);
  KJ_REQUIRE(define(tpm, TpmCounter::INDEX, COUNTER, 8) == 0);
}

int TpmOwner::fill() const {
  Reached tpm(tcti);
  int made = 0;
  for (uint16_t bytes: {2'048, 512, 64, 8}) {
    while (define(tpm, 0x01800000 + made, PLAIN, bytes) == 0) KJ_REQUIRE(++made < 10'000);
  }
  // A TPM keeps room for some counters.
  while (define(tpm, 0x01800000 + made, COUNTER, 8) == 0) KJ_REQUIRE(++made < 10'000);
  return made;
}

void TpmOwner::clear() const {
  Reached tpm(tcti);
  KJ_REQUIRE(Esys_Clear(tpm.esys, ESYS_TR_RH_LOCKOUT, ESYS_TR_PASSWORD, NONE, NONE) == 0);
}

}  // namespace hearth::devices

#include "devices/linux/tpm-context.h"

#include <kj/debug.h>

#include <tss2/tss2_tctildr.h>

namespace hearth::devices {

bool tpmDid(TSS2_RC rc, kj::StringPtr what) {
  if (rc != TSS2_RC_SUCCESS) KJ_LOG(WARNING, "the TPM refuses", what, kj::hex(rc));
  return rc == TSS2_RC_SUCCESS;
}

TpmContext::~TpmContext() {
  if (esys != nullptr) Esys_Finalize(&esys);
  if (tcti != nullptr) Tss2_TctiLdr_Finalize(&tcti);
}

bool TpmContext::open(kj::StringPtr where) {
  return tpmDid(Tss2_TctiLdr_Initialize(where.cStr(), &tcti), "being reached"_kj) &&
      tpmDid(Esys_Initialize(&esys, tcti, nullptr), "being used"_kj);
}

}  // namespace hearth::devices

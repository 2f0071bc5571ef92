#pragma once
// A connection to the machine's TPM by the TSS's ESAPI: what everything that asks it has in common.

#include <kj/common.h>
#include <kj/memory.h>
#include <kj/string.h>

#include <memory>
#include <tss2/tss2_esys.h>

namespace hearth::devices {

// What ESAPI allocates.
struct FreedByTss {
  void operator()(void* memory) const { Esys_Free(memory); }
};
template <typename T>
using FromTpm = std::unique_ptr<T, FreedByTss>;

// Whether the TPM did `what`; a refusal goes to the log with its code.
bool tpmDid(TSS2_RC rc, kj::StringPtr what);

struct TpmContext {
  TSS2_TCTI_CONTEXT* tcti = nullptr;
  ESYS_CONTEXT* esys = nullptr;

  TpmContext() = default;
  ~TpmContext();
  KJ_DISALLOW_COPY_AND_MOVE(TpmContext);

  // At `where`, as the TSS names transports. Whether somebody answers there; at most once.
  bool open(kj::StringPtr where);
};

}  // namespace hearth::devices

#pragma once
// The machine's TPM 2.0 as a safe for one small secret, through the TSS's ESAPI. What is sealed opens
// on this machine alone, while PCR 7 (the firmware's secure-boot state) is as it was, and for who has
// the authorisation value (SECURITY.md §7.4). Nothing stays in the TPM: its few slots are emptied
// after each call.

#include "crypto/primitives/secret.h"

#include <kj/memory.h>

namespace hearth::devices {

using TpmAuth = crypto::Key<struct TpmAuthTag, 32>;

// Opaque to all but the TPM that made it.
struct TpmSealed {
  static constexpr size_t PART_BYTES_MAX = 1'024;
  kj::Array<kj::byte> publicPart, privatePart;
};

class Tpm final {
  struct Context;

 public:
  static constexpr kj::StringPtr RESOURCE_MANAGER = "/dev/tpmrm0"_kj;

  // `tcti` as the TSS names transports: "device:/dev/tpmrm0", "swtpm:host=127.0.0.1,port=2321".
  // None when nothing answers there.
  static kj::Maybe<kj::Own<Tpm>> open(kj::StringPtr tcti);
  explicit Tpm(kj::Own<Context> context);  // see open()
  ~Tpm() noexcept(false);

  // Errors: EVIDENCE_REJECTED when the TPM refuses (no ECC P-256 or
  // SHA-256, an owner password, a lockout).
  Result<TpmSealed> seal(crypto::Bytes secret, const TpmAuth& auth);

  // Errors: MEASUREMENT_MISMATCH when PCR 7 is not as it was; EVIDENCE_REJECTED when it was sealed by
  // another TPM or with another authorisation value, or the TPM refuses.
  Result<crypto::Secret> unseal(const TpmSealed& sealed, const TpmAuth& auth);

  // Changes PCR 7, as a change of the boot state would. For tests.
  void extendPcr7(const crypto::Bytes& digest);

 private:
  kj::Own<Context> context;
};

}  // namespace hearth::devices

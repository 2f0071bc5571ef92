#pragma once
// The rollback counter in the TPM's non-volatile memory: index 0x01500016 with the attributes counter,
// ownerread and ownerwrite (SECURITY.md §7.4). There is one on a machine. It belongs to the home that has
// defined it, whose tag stands in the place of its policy, which those attributes leave unused: two homes on
// one machine would take each other's steps for their own past.

#include "core/base/ids.h"
#include "devices/rollback-counter.h"

namespace hearth::devices {

class TpmCounter final: public RollbackCounter {
 public:
  static constexpr uint32_t INDEX = 0x01500016;

  // `tcti` as Tpm::open has it; `tag`: which home this is.
  TpmCounter(kj::StringPtr tcti, const Digest& tag): tcti(kj::str(tcti)), tag(tag) {}

  Result<kj::Maybe<uint64_t>> read() override;
  Result<uint64_t> advance() override;
  kj::StringPtr describe() const override { return "the TPM's counter 0x01500016"; }

 private:
  kj::String tcti;
  Digest tag;
};

}  // namespace hearth::devices

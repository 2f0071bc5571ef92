#pragma once
// The Device seam's counter: a number that lives outside the disk and that nobody sets back, so that a
// disk that was put back to an older copy, its anchor included, is found out by its own device
// (SECURITY.md §10.4). One implementation per platform; the simulator has its own.

#include "core/base/result.h"

#include <kj/common.h>

namespace hearth::devices {

// Every call may take some 100 ms and wears the chip where it writes: it belongs on an executor, one at a
// time, and not with every commit.
class RollbackCounter {
 public:
  // Where it stands; none: it was never begun, or was removed.
  // Errors: BUSY when it is to be asked later; POLICY_DENIED, LIMIT_EXCEEDED, EVIDENCE_REJECTED when this
  // device cannot have one: a line each that says why.
  virtual Result<kj::Maybe<uint64_t>> read() = 0;

  // One further, and begun where there is none; gives where it stands then. Higher than any that was here
  // before it, however often it is removed and begun. Errors: those of read().
  virtual Result<uint64_t> advance() = 0;

  // What it is, in words for `hearth status`.
  virtual kj::StringPtr describe() const = 0;
};

}  // namespace hearth::devices

#include "core/base/result.h"

namespace hearth {

kj::StringPtr nameOf(Errc code) {
  static constexpr const char* NAMES[] = {"Unknown", "BadFormat", "BadVersion", "BadLength",
      "BadSignature", "BadMac", "DecryptFailed", "SmallOrder", "UnknownPeer", "NotAuthorised",
      "Removed", "Suspended", "EpochUnknown", "Replay", "Rollback", "Equivocation", "Stale",
      "PairingClosed", "PairingLocked", "SasMismatch", "CommitMismatch", "Busy", "LimitExceeded",
      "KeysExpired", "EvidenceRejected", "LevelTooLow", "PolicyDenied", "MeasurementMismatch",
      "SandboxUnavailable", "QuotaExceeded", "IntegrityFailed"};
  auto number = static_cast<size_t>(code);
  return number < kj::size(NAMES) ? NAMES[number] : NAMES[0];
}

}  // namespace hearth

#pragma once
// What people call the devices of a circle: each device says it of itself, in DeviceMeta ops that members
// alone can read (SECURITY.md §5.3).

#include "crypto/membership/epoch-keys.h"
#include "crypto/membership/sealed-field.h"

namespace hearth::crypto {

// Of every device whose newest name `epochs` opens; a device that has taken other keys keeps its name.
// What does not decode counts for nothing. Of two at once the later lamport, then the greater hash, is the
// newest.
std::map<DeviceId, std::string> namesIn(const MembershipLog& log, const EpochKeys& epochs);

}  // namespace hearth::crypto

#pragma once
// What people call the devices of a circle: each device says it of itself, in DeviceMeta ops that members
// alone can read (SECURITY.md §5.3).

#include "crypto/membership/epoch-keys.h"
#include "crypto/membership/sealed-field.h"

namespace hearth::crypto {

// Of one log, which may grow: each name is opened once.
class Names final {
 public:
  // Of every device whose newest name `epochs` opens; a device that has taken other keys keeps its name.
  // What does not decode counts for nothing. Of two at once the later lamport, then the greater hash, is the
  // newest.
  std::map<DeviceId, std::string> in(const MembershipLog& log, const EpochKeys& epochs);

  // How many were opened so far, or tried.
  uint64_t opened() const { return tries; }

 private:
  std::map<OpIndex, std::string> read;
  std::set<OpIndex> closed;  // under secrets that this device had not when it tried
  size_t looked = 0;         // ops of the log
  size_t secretsThen = 0;
  uint64_t tries = 0;

  void look(const MembershipLog& log, const EpochKeys& epochs);
  void tryToRead(const MembershipLog& log, const EpochKeys& epochs, OpIndex op);
};

}  // namespace hearth::crypto

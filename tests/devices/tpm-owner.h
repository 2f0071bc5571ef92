#pragma once
// What the owner of a machine, or a thief who has started it, may do to its TPM.

#include <kj/string.h>

namespace hearth::devices {

class TpmOwner final {
 public:
  explicit TpmOwner(kj::StringPtr tcti): tcti(kj::str(tcti)) {}

  void setPassword(kj::StringPtr password) const;
  // Removes Hearth's counter.
  void removeCounter() const;
  // Makes one in its place that says nothing of whose it is.
  void makeStrangersCounter() const;
  // Fills what is left of the memory; how many indices that took.
  int fill() const;
  // As from the firmware's menu: everything of the owner's is gone.
  void clear() const;

 private:
  kj::String tcti;
};

}  // namespace hearth::devices

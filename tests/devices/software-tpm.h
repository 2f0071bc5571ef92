#pragma once
// A TPM in software (swtpm) for the length of a test, at a port of the loopback.

#include <kj/filesystem.h>

#include <string>
#include <sys/types.h>

namespace hearth::devices {

class SoftwareTpm final {
 public:
  // None where swtpm is not installed.
  static kj::Maybe<SoftwareTpm> start();
  SoftwareTpm(SoftwareTpm&& other) noexcept;
  ~SoftwareTpm();

  kj::StringPtr tcti() const { return where.c_str(); }

 private:
  SoftwareTpm(pid_t process, std::string folder, std::string where)
      : process(process),
        folder(kj::mv(folder)),
        where(kj::mv(where)) {}
  pid_t process;
  std::string folder, where;
};

}  // namespace hearth::devices

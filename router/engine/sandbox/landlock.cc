#include "router/engine/sandbox/launch-plan.h"

#include <cerrno>
#include <unistd.h>

namespace hearth::engine {

namespace {

// The kernel's own numbers (linux/landlock.h of ABI 6), which older system headers do not have.
struct RulesetAttr {
  uint64_t handledAccessFs;
  uint64_t handledAccessNet;
  uint64_t scoped;
};
struct __attribute__((packed)) PathBeneathAttr {
  uint64_t allowedAccess;
  int32_t parentFd;
};
constexpr uint64_t FS_ALL = (1 << 16) - 1;  // EXECUTE to IOCTL_DEV
constexpr uint64_t FS_EXECUTE = 1 << 0;
constexpr uint64_t FS_READ_FILE = 1 << 2;
constexpr uint64_t FS_READ_DIR = 1 << 3;
constexpr uint64_t NET_ALL = 3;    // BIND_TCP, CONNECT_TCP
constexpr uint64_t SCOPE_ALL = 3;  // ABSTRACT_UNIX_SOCKET, SIGNAL
constexpr uint32_t CREATE_RULESET_VERSION = 1;
constexpr int RULE_PATH_BENEATH = 1;

long createRuleset(const RulesetAttr* attr, size_t size, uint32_t flags) {
  return syscall(SYS_landlock_create_ruleset, attr, size, flags);
}

int allowTree(int ruleset) {
  int root = open("/", O_PATH | O_CLOEXEC | O_DIRECTORY);
  if (root < 0) return errno;
  PathBeneathAttr rule{FS_READ_FILE | FS_READ_DIR | FS_EXECUTE, root};
  long added = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0);
  int error = added == 0 ? 0 : errno;
  close(root);
  return error;
}

}  // namespace

int landlockAbi() {
  long abi = createRuleset(nullptr, 0, CREATE_RULESET_VERSION);
  return abi < 0 ? 0 : static_cast<int>(abi);
}

int restrictFiles(bool dynamic) {
  RulesetAttr attr{FS_ALL, NET_ALL, SCOPE_ALL};
  int ruleset = static_cast<int>(createRuleset(&attr, sizeof(attr), 0));
  if (ruleset < 0) return errno;
  if (dynamic) {
    if (int error = allowTree(ruleset)) return error;
  }
  if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) return errno;
  close(ruleset);
  return 0;
}

}  // namespace hearth::engine

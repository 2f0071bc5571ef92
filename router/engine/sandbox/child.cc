// The child's side of a launch: SECURITY.md §8.2 and §8.2a step by step. System calls only.

#include "router/engine/sandbox/launch-plan.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/securebits.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hearth::engine {

namespace {

constexpr int HIGH_FD = 256;  // where descriptors wait while 0.. are being dealt
constexpr rlim_t STACK_BYTES = 8 << 20;

// What the steps hand on. Ends the process at the first step that fails.
class Child final {
 public:
  explicit Child(const LaunchPlan& plan): plan(plan), failureFd(plan.failureFd) {}

  [[noreturn]] void run() {
    // Step 4; clone has made the namespaces already.
    need(LaunchStep::NAMESPACES, enterNamespaces());
    // Steps 1 to 3. A dynamic program's files go into its tree instead.
    if (!plan.dynamic) need(LaunchStep::FILES, sealFiles());
    needTree();
    need(LaunchStep::DESCRIPTORS, dealDescriptors());
    need(LaunchStep::LIMITS, limit());
    need(LaunchStep::CAPABILITIES, dropCapabilities());
    need(LaunchStep::LANDLOCK, restrictFiles(plan.dynamic));
    need(LaunchStep::CLOSE_RANGE, closeTheRest());
    need(LaunchStep::FILTER, filter());
    need(LaunchStep::EXEC, execute());
    _exit(127);
  }

 private:
  const LaunchPlan& plan;
  int failureFd;
  int programFd = -1;
  int modelFds[Manifest::FILES_MAX] = {};
  int models = 0;
  Errc errc = Errc::SANDBOX_UNAVAILABLE;

  [[noreturn]] void fail(const LaunchFailure& failure) {
    // One write, shorter than a pipe's atomic size; nobody could be told of its failure.
    [[maybe_unused]] auto told = write(failureFd, &failure, sizeof(failure));
    _exit(127);
  }

  void need(LaunchStep step, int error) {
    if (error != 0) fail({step, static_cast<uint16_t>(errc), error});
  }

  void needTree() {
    LaunchFailure failure{LaunchStep::TREE, static_cast<uint16_t>(errc), 0};
    failure.error = makeTree(plan, failure);
    if (failure.error != 0) fail(failure);
  }

  static int writeFile(const char* path, const char* text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    auto size = strlen(text);
    int error = write(fd, text, size) == static_cast<ssize_t>(size) ? 0 : errno;
    close(fd);
    return error;
  }

  int enterNamespaces() {
    // From here on, so that a daemon which dies now does not leave a half-made child behind.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
    // A daemon that may not be traced has children whose /proc files belong to root: this one must
    // write its own for a moment.
    if (prctl(PR_SET_DUMPABLE, 1) != 0) return errno;
    if (int error = writeFile("/proc/self/setgroups", "deny")) return error;
    if (int error = writeFile("/proc/self/uid_map", plan.uidMap)) return error;
    if (int error = writeFile("/proc/self/gid_map", plan.gidMap)) return error;
    if (prctl(PR_SET_DUMPABLE, 0) != 0) return errno;
    umask(0);
    if (setsid() < 0) return errno;  // no terminal, and none of its signals
    sigset_t none;
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, nullptr) == 0 ? 0 : errno;
  }

  int sealFiles() {
    if (int error = sealProgram(plan, programFd, errc)) return error;
    for (auto& file: plan.files) {
      if (file.role != FileRole::MODEL) continue;
      if (int error = sealModel(plan, file, modelFds[models], errc)) return error;
      ++models;
    }
    return 0;
  }

  static int lift(int& fd) {
    fd = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
    return fd < 0 ? errno : 0;
  }

  // All of them up first, so that no target number is still in use by another.
  int dealDescriptors() {
    for (auto& file: plan.files) {
      if (!plan.dynamic || file.role != FileRole::PROGRAM) continue;
      programFd = open(file.path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
      if (programFd < 0) return errno;
    }
    int nullFd = plan.nullFd, logFd = plan.logFd, controlFd = plan.controlFd;
    for (int* fd: {&failureFd, &nullFd, &logFd, &controlFd, &programFd}) {
      if (int error = lift(*fd)) return error;
    }
    for (int i = 0; i < models; ++i) {
      if (int error = lift(modelFds[i])) return error;
    }
    bool dealt = dup3(nullFd, 0, 0) >= 0 || errno == EINVAL;
    dealt = dealt && dup3(nullFd, 1, 0) == 1 && dup3(logFd, 2, 0) == 2;
    dealt = dealt && dup3(controlFd, ENGINE_CONTROL_FD, 0) == ENGINE_CONTROL_FD;
    dealt = dealt && dup3(programFd, ENGINE_PROGRAM_FD, O_CLOEXEC) == ENGINE_PROGRAM_FD;
    for (int i = 0; dealt && i < models; ++i) {
      dealt = dup3(modelFds[i], ENGINE_MODELS_FD + i, 0) == ENGINE_MODELS_FD + i;
    }
    if (!dealt) return errno;
    // Whatever else the daemon had open down here goes now: the limits to come count numbers.
    return syscall(SYS_close_range, firstUnused(), HIGH_FD - 1, 0) == 0 ? 0 : errno;
  }

  // Number 5 is kept for a tensor arena; nothing is on it.
  unsigned firstUnused() {
    if (models == 0) return ENGINE_PROGRAM_FD + 1;
    close(ENGINE_PROGRAM_FD + 1);
    return static_cast<unsigned>(ENGINE_MODELS_FD + models);
  }

  static int limitTo(int resource, rlim_t most) {
    rlimit value{most, most};
    return static_cast<int>(syscall(SYS_prlimit64, 0, resource, &value, nullptr)) == 0 ? 0 : errno;
  }

  int limit() {
    auto& quotas = plan.quotas;
    const std::pair<int, rlim_t> limits[] = {
        {RLIMIT_AS, rlim_t{quotas.memoryMib} << 20},
        {RLIMIT_CPU, quotas.cpuS},
        {RLIMIT_NOFILE, quotas.descriptors},
        {RLIMIT_NPROC, quotas.threads},
        {RLIMIT_FSIZE, 0},
        {RLIMIT_CORE, 0},
        {RLIMIT_MEMLOCK, 0},
        {RLIMIT_STACK, STACK_BYTES},
    };
    for (auto& [resource, most]: limits) {
      if (int error = limitTo(resource, most)) return error;
    }
    if (prctl(PR_SET_DUMPABLE, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno;
  }

  static int dropCapabilities() {
    for (int capability = 0; capability <= 63; ++capability) {
      if (prctl(PR_CAPBSET_DROP, capability) != 0 && errno != EINVAL) return errno;
    }
    if (prctl(PR_SET_SECUREBITS,
            SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED) != 0) {
      return errno;
    }
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return errno;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2] = {};
    return syscall(SYS_capset, &header, none) == 0 ? 0 : errno;
  }

  int closeTheRest() {
    return syscall(SYS_close_range, firstUnused(), ~0U, CLOSE_RANGE_CLOEXEC) == 0 ? 0 : errno;
  }

  int filter() {
    sock_fprog program{plan.filterLength, const_cast<sock_filter*>(plan.filter)};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? 0 : errno;
  }

  int execute() {
    const char* const arguments[] = {plan.name, nullptr};
    const char* const environment[] = {nullptr};
    syscall(SYS_execveat, ENGINE_PROGRAM_FD, "", arguments, environment, AT_EMPTY_PATH);
    return errno;
  }
};

}  // namespace

void runChild(const LaunchPlan& plan) { Child(plan).run(); }

}  // namespace hearth::engine

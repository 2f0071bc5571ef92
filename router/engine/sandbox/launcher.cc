#include "router/engine/sandbox/launcher.h"

#include <kj/debug.h>

#include <csignal>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <linux/sched.h>
#include <set>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hearth::engine {

namespace {

constexpr uint64_t NAMESPACES = CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID |
    CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
constexpr uint64_t CLEAR_SIGHAND = 0x1'0000'0000;  // the daemon's signal handlers stay with it
constexpr uint64_t PAGE_BYTES = 4'096;

struct Pair {
  kj::AutoCloseFd ours, theirs;
};

Pair newSocketPair() {
  int fds[2];
  KJ_SYSCALL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  Pair pair{kj::AutoCloseFd(fds[0]), kj::AutoCloseFd(fds[1])};
  KJ_SYSCALL(fcntl(pair.ours, F_SETFL, O_NONBLOCK));  // the plugin's end blocks
  return pair;
}

// Never blocks on either side: a full log drops what comes, an empty one has nothing to say.
Pair newPipe() {
  int fds[2];
  KJ_SYSCALL(pipe2(fds, O_CLOEXEC | O_NONBLOCK));
  return {kj::AutoCloseFd(fds[0]), kj::AutoCloseFd(fds[1])};
}

kj::AutoCloseFd openNull() {
  int fd;
  KJ_SYSCALL(fd = open("/dev/null", O_RDWR | O_CLOEXEC));
  return kj::AutoCloseFd(fd);
}

kj::Duration durationOf(const timeval& time) {
  return time.tv_sec * kj::SECONDS + time.tv_usec * kj::MICROSECONDS;
}

uint64_t wholePages(uint64_t bytes) { return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES; }

void planFiles(const Manifest& manifest, uint64_t offset, LaunchPlan& plan) {
  kj::Vector<PlannedFile> files;
  for (auto& file: manifest.files) {
    files.add(PlannedFile{file.role, file.path.c_str(), file.size, offset, file.digest});
    if (plan.packed) offset += file.size;
  }
  plan.files = files.releaseAsArray();
}

// `names` owns what the plan points to.
void planTree(const Manifest& manifest, std::set<std::string>& names, LaunchPlan& plan) {
  uint64_t bytes = PAGE_BYTES;  // a size of 0 would mean no limit
  for (auto& file: manifest.files) {
    bytes += wholePages(file.size);
    for (auto at = file.path.find('/'); at != file.path.npos; at = file.path.find('/', at + 1)) {
      names.insert(file.path.substr(0, at));  // ordered: a parent comes before what is in it
    }
  }
  if (!plan.dynamic) bytes = PAGE_BYTES;
  snprintf(plan.treeOptions, sizeof(plan.treeOptions), "size=%llu,mode=0555",
      static_cast<unsigned long long>(bytes));
  plan.directories = KJ_MAP(name, names)->const char* { return name.c_str(); };
}

pid_t cloneIntoNamespaces() {
  clone_args arguments{};
  arguments.flags = NAMESPACES | CLEAR_SIGHAND;
  // No signal at its end: whoever handles SIGCHLD in this process need not know of it.
  arguments.exit_signal = 0;
  return static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof(arguments)));
}

}  // namespace

Launched::Launched(Launched&& other) noexcept
    : control(kj::mv(other.control)),
      pid(other.pid),
      log(kj::mv(other.log)),
      failure(kj::mv(other.failure)) {
  other.pid = 0;
}

Launched::~Launched() noexcept(false) {
  if (pid == 0) return;
  kill();
  int status;
  KJ_SYSCALL(waitpid(pid, &status, __WALL));
}

void Launched::kill() {
  if (pid != 0) ::kill(pid, SIGKILL);
}

kj::Maybe<Launched::Exit> Launched::tryReap() {
  if (pid == 0) return nullptr;
  int status;
  rusage used;
  pid_t ended;
  KJ_SYSCALL(ended = wait4(pid, &status, __WALL | WNOHANG, &used));
  if (ended == 0) return nullptr;
  pid = 0;
  return Exit{status, durationOf(used.ru_utime) + durationOf(used.ru_stime)};
}

kj::Maybe<kj::Duration> Launched::cpuTime() const {
  clockid_t clock;
  timespec time;
  if (pid == 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    return nullptr;
  }
  return time.tv_sec * kj::SECONDS + time.tv_nsec * kj::NANOSECONDS;
}

kj::Maybe<LaunchFailure> Launched::failedStep() {
  LaunchFailure found;
  if (read(failure, &found, sizeof(found)) != sizeof(found)) return nullptr;
  return found;
}

kj::String Launched::takeLog() {
  kj::Vector<char> text;
  while (text.size() < LOG_BYTES_MAX) {
    char room[4'096];
    auto n = read(log, room, sizeof(room));
    if (n <= 0) break;
    text.addAll(room, room + n);
  }
  text.add('\0');
  return kj::String(text.releaseAsArray());
}

Result<Launched> launch(const Bundle& bundle, const Quotas& quotas) {
  if (landlockAbi() < LANDLOCK_ABI_MIN) {
    return no(Errc::SANDBOX_UNAVAILABLE, "this kernel has no Landlock of ABI 6 or newer");
  }
  LaunchPlan plan;
  KJ_IF_MAYBE(disk, bundle.onDisk()) {
    plan.sourceFd = disk->fd;
    plan.packed = disk->packed;
    planFiles(bundle.manifest(), disk->filesOffset, plan);
  } else {
    return no(Errc::SANDBOX_UNAVAILABLE, "the bundle is not on the system's own disk");
  }
  std::set<std::string> names;
  plan.name = bundle.manifest().name.c_str();
  plan.dynamic = bundle.isDynamic();
  plan.quotas = quotas;
  planTree(bundle.manifest(), names, plan);
  snprintf(plan.uidMap, sizeof(plan.uidMap), "0 %u 1\n", geteuid());
  snprintf(plan.gidMap, sizeof(plan.gidMap), "0 %u 1\n", getegid());
  plan.filterLength = static_cast<unsigned short>(
      closed_filter(plan.dynamic ? CLOSED_DYNAMIC_START : CLOSED_STATIC_START, plan.filter));

  auto null = openNull();
  auto control = newSocketPair();
  auto log = newPipe();
  auto failure = newPipe();
  plan.nullFd = null;
  plan.controlFd = control.theirs;
  plan.logFd = log.theirs;
  plan.failureFd = failure.theirs;

  auto pid = cloneIntoNamespaces();
  if (pid == 0) runChild(plan);
  if (pid < 0) {
    return no(Errc::SANDBOX_UNAVAILABLE,
        "the kernel refuses new namespaces: allow unprivileged user namespaces, or free some");
  }
  return Launched(pid, kj::mv(control.ours), kj::mv(log.ours), kj::mv(failure.ours));
}

Error errorOf(const LaunchFailure& failure) {
  if (failure.errc == static_cast<uint16_t>(Errc::INTEGRITY_FAILED)) {
    return {Errc::INTEGRITY_FAILED, "a file of the plugin is not what its manifest says"};
  }
  auto because = [&]() -> kj::StringPtr {
    switch (failure.step) {
      case LaunchStep::NAMESPACES:
        return "the sandbox cannot enter its namespaces"_kj;
      case LaunchStep::FILES:
        return "the sandbox cannot copy the plugin's files"_kj;
      case LaunchStep::TREE:
        return "the sandbox cannot make the plugin's root directory"_kj;
      case LaunchStep::DESCRIPTORS:
        return "the sandbox cannot deal the plugin's descriptors"_kj;
      case LaunchStep::LIMITS:
        return "the sandbox cannot set the plugin's limits"_kj;
      case LaunchStep::CAPABILITIES:
        return "the sandbox cannot drop capabilities"_kj;
      case LaunchStep::LANDLOCK:
        return "the sandbox cannot enter Landlock"_kj;
      case LaunchStep::CLOSE_RANGE:
        return "the sandbox cannot close descriptors"_kj;
      case LaunchStep::FILTER:
        return "the sandbox cannot install its system-call filter"_kj;
      case LaunchStep::EXEC:
        return "the sandbox cannot execute the plugin's program"_kj;
    }
    return "the sandbox failed at an unknown step"_kj;
  }();
  return {Errc::SANDBOX_UNAVAILABLE, because};
}

}  // namespace hearth::engine

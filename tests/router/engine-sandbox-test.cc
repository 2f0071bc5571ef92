#include "tests/router/engine-fixture.h"

#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

namespace hearth::engine {
namespace {

// The attempts of tests/router/plugins/probe/probe.c that must be answered with an error or end in
// death, in every kind of plugin.
constexpr const char* ESCAPES[] = {"tcp4", "udp4", "tcp6", "netlink", "vsock", "unix", "connect",
    "sendmsg", "passwd", "proc-mem", "create", "own-program", "openat2", "memfd", "io-uring",
    "ptrace", "kill-parent", "kill-all", "fork", "vfork", "clone", "clone3", "execve", "execveat",
    "unshare", "mount", "chroot", "dumpable", "seccomp", "bpf", "keyctl", "x32", "descriptors",
    "environment", "memory"};

// What the probe says of one attempt, or how it died of it.
kj::String probe(RealHost& real, const Bundle& bundle, kj::StringPtr attempt) {
  auto engine = real.start(bundle);
  REQUIRE(went(real.wait(engine->open(jobOf(attempt)))));
  REQUIRE(went(real.wait(engine->write(frameOf(1, "go")))));
  auto answer = real.wait(engine->read());
  if (answer) return textOf(*answer);
  return kj::str(answer.error().because);
}

TEST_CASE("every attempt to get out of the sandbox is denied or ends the plugin") {
  needSandbox();
  auto name = GENERATE("probe", "probe-dynamic");
  auto bundle = pluginBundle(name);
  RealHost real;
  for (auto escape: ESCAPES) {
    auto said = probe(real, *bundle, escape);
    CAPTURE(name, escape, said.cStr());
    bool denied = said.startsWith("denied") ||
        said == "the plugin made a system call that plugins may not make";
    REQUIRE(denied);
  }
}

TEST_CASE("a probe that does nothing forbidden is not denied: the probes do report") {
  needSandbox();
  auto bundle = pluginBundle("probe");
  RealHost real;
  REQUIRE(probe(real, *bundle, "allowed").startsWith("ALLOWED"));
}

TEST_CASE("a plugin whose program has one byte changed since it was measured does not start") {
  needSandbox();
  auto name = GENERATE("echo", "echo-dynamic");
  auto disk = kj::newDiskFilesystem();
  auto scratch = disk->getRoot().openSubdir(
      kj::Path(nullptr).evalNative(kj::str(HEARTH_TEST_PLUGINS, "/../test-flipped-", name)),
      kj::WriteMode::CREATE | kj::WriteMode::MODIFY | kj::WriteMode::CREATE_PARENT);
  auto source = pluginDirectory(name);
  for (auto& file: pluginBundle(name)->manifest().files) {
    auto path = kj::Path::parse(file.path.c_str());
    scratch
        ->openFile(
            path, kj::WriteMode::CREATE | kj::WriteMode::MODIFY | kj::WriteMode::CREATE_PARENT)
        ->writeAll(source->openFile(path)->readAllBytes());
  }
  auto bundle = Bundle::openDirectory(scratch->clone());
  REQUIRE(went(bundle));
  RealHost real;
  REQUIRE(went(real.wait(real.host.start(**bundle, {}))));

  auto program = scratch->openFile(kj::Path("program"), kj::WriteMode::MODIFY);
  kj::byte last;
  auto at = program->stat().size - 1;
  program->read(at, kj::arrayPtr(&last, 1));
  last ^= 1;
  program->write(at, kj::arrayPtr(&last, 1));

  REQUIRE(real.wait(real.host.start(**bundle, {})).error().code == Errc::INTEGRITY_FAILED);
  REQUIRE((*bundle)->verify().error().code == Errc::INTEGRITY_FAILED);
}

TEST_CASE("policy caps a plugin's quotas below what its manifest asks") {
  needSandbox();
  auto bundle = pluginBundle("echo");
  RealHost real;
  EngineGrants grants;
  grants.quotasMax.memoryMib = 1;  // not even the program fits
  REQUIRE(!real.wait(real.host.start(*bundle, grants)));
}

// Forks a process that starts a plugin as user `uid`, tells the plugin's pid, and waits.
struct Starter {
  pid_t pid = 0;
  int told = -1;

  explicit Starter(uid_t uid) {
    auto bundle = pluginBundle("echo-dynamic");
    int ends[2];
    KJ_SYSCALL(pipe(ends));
    KJ_SYSCALL(pid = fork());
    if (pid == 0) run(*bundle, uid, ends[1]);
    close(ends[1]);
    told = ends[0];
  }
  ~Starter() {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    close(told);
  }

  [[noreturn]] static void run(const Bundle& bundle, uid_t uid, int tell) {
    if (uid != getuid() && (setgid(uid) != 0 || setuid(uid) != 0)) _exit(1);
    auto launched = launch(bundle, bundle.manifest().quotas);
    if (!launched) _exit(2);
    // READY: the whole construction is behind it.
    kj::byte first;
    for (ssize_t n = -1; n != 1; n = read(launched->control, &first, 1)) {
      if (n == 0) _exit(3);
      usleep(1'000);
    }
    pid_t plugin = launched->id();
    if (write(tell, &plugin, sizeof(plugin)) != sizeof(plugin)) _exit(4);
    pause();
    _exit(0);
  }

  // The plugin's pid, or none when it did not start.
  kj::Maybe<pid_t> plugin() {
    pid_t found;
    if (read(told, &found, sizeof(found)) != sizeof(found)) return nullptr;
    return found;
  }
};

TEST_CASE("a plugin dies with its daemon, however the daemon dies") {
  needSandbox();
  Starter daemon(getuid());
  auto plugin = KJ_ASSERT_NONNULL(daemon.plugin());
  REQUIRE(kill(plugin, 0) == 0);
  kill(daemon.pid, SIGKILL);
  // Gone or a zombie that init has not yet collected; neither has a program any more.
  auto path = kj::str("/proc/", plugin, "/exe");
  char target[64];
  bool gone = false;
  for (int tries = 0; tries < 1'000 && !gone; ++tries) {
    gone = readlink(path.cStr(), target, sizeof(target)) < 0;
    usleep(5'000);
  }
  REQUIRE(gone);
}

TEST_CASE("an ordinary user starts plugins as root does") {
  needSandbox();
  if (getuid() != 0) SKIP("only root can become another user; every other test ran as one");
  constexpr uid_t NOBODY = 65'534;
  Starter ordinary(NOBODY);
  REQUIRE(ordinary.plugin() != nullptr);
}

}  // namespace
}  // namespace hearth::engine

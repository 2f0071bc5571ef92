#include "bench/scratch.h"

#include <kj/debug.h>
#include <kj/io.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hearth::bench {

namespace {

class Scratch final {
 public:
  Scratch() {
    auto pattern = (std::filesystem::temp_directory_path() / "hearth-bench-XXXXXX").string();
    KJ_REQUIRE(mkdtemp(pattern.data()) != nullptr, "no directory to measure in", pattern.c_str());
    path = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string path;
};

[[noreturn]] void answer(const std::function<nlohmann::json()>& measure, kj::AutoCloseFd out) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int status = 1;
  KJ_IF_MAYBE(e, kj::runCatchingExceptions([&]() {
                auto text = measure().dump();
                kj::FdOutputStream(out.get()).write(text.data(), text.size());
                status = 0;
              })) {
    fprintf(stderr, "hearth-bench: %s\n", kj::str(*e).cStr());
  }
  _exit(status);
}

// Until the child has ended; who stops this process stops the child.
int waitFor(pid_t child, const sigset_t& signals) {
  for (;;) {
    int signal, status;
    sigwait(&signals, &signal);
    if (signal != SIGCHLD) kill(child, SIGKILL);
    pid_t ended;
    KJ_SYSCALL(ended = waitpid(child, &status, WNOHANG));
    if (ended == child) return status;
  }
}

}  // namespace

nlohmann::json inScratch(
    const std::function<nlohmann::json(const std::string& directory)>& measure) {
  sigset_t signals, before;
  sigemptyset(&signals);
  for (int signal: {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  KJ_SYSCALL(sigprocmask(SIG_BLOCK, &signals, &before));
  KJ_DEFER(sigprocmask(SIG_SETMASK, &before, nullptr));
  Scratch scratch;
  int ends[2];
  KJ_SYSCALL(pipe(ends));
  kj::AutoCloseFd in(ends[0]), out(ends[1]);
  pid_t child;
  KJ_SYSCALL(child = fork());
  if (child == 0) {
    sigprocmask(SIG_SETMASK, &before, nullptr);
    answer([&]() { return measure(scratch.path); }, kj::mv(out));
  }
  out = nullptr;
  auto status = waitFor(child, signals);
  KJ_REQUIRE(status == 0, "what was measured ended badly", status);
  // It fits into the pipe: nobody had to read while the child wrote.
  return nlohmann::json::parse(kj::FdInputStream(in.get()).readAllText().cStr());
}

}  // namespace hearth::bench

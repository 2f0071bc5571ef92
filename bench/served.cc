#include "bench/served.h"

#include "bench/process.h"

#include <kj/debug.h>
#include <kj/io.h>

#include <cstdio>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace hearth::bench {

namespace {

[[noreturn]] void serveUntilKilled(
    const std::function<void(Served::SayPort)>& serve, kj::AutoCloseFd out) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  auto say = [&](uint16_t port) {
    kj::FdOutputStream(out.get()).write(&port, sizeof(port));
    out = nullptr;
  };
  KJ_IF_MAYBE(e, kj::runCatchingExceptions([&]() { serve(say); })) {
    fprintf(stderr, "hearth-bench: %s\n", kj::str(*e).cStr());
  }
  _exit(1);
}

}  // namespace

Served::Served(const std::function<void(SayPort)>& serve) {
  int ends[2];
  KJ_SYSCALL(pipe(ends));
  kj::AutoCloseFd in(ends[0]), out(ends[1]);
  KJ_SYSCALL(child = fork());
  if (child == 0) serveUntilKilled(serve, kj::mv(out));
  out = nullptr;
  kj::FdInputStream(in.get()).read(&answersAt, sizeof(answersAt));
}

Served::~Served() {
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

double Served::cpuS() const {
  clockid_t clock;
  KJ_REQUIRE(clock_getcpuclockid(child, &clock) == 0, "the serving process has died");
  struct timespec used;
  KJ_SYSCALL(clock_gettime(clock, &used));
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

double Served::rssPeakMib() const { return bench::rssPeakMib(child); }

}  // namespace hearth::bench

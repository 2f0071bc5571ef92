#include "bench/process.h"

#include <kj/debug.h>
#include <kj/io.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hearth::bench {

namespace {

double secondsOf(clockid_t clock) {
  struct timespec now;
  KJ_SYSCALL(clock_gettime(clock, &now));
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

[[noreturn]] void answer(const std::function<nlohmann::json()>& measure, kj::AutoCloseFd out) {
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

}  // namespace

double cpuS() { return secondsOf(CLOCK_PROCESS_CPUTIME_ID); }

double wallS() { return secondsOf(CLOCK_MONOTONIC); }

double rssPeakMib() {
  struct rusage used;
  KJ_SYSCALL(getrusage(RUSAGE_SELF, &used));
  return static_cast<double>(used.ru_maxrss) / 1'024;
}

double rssPeakMib(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  std::string word;
  while (status >> word) {
    double kib;
    if (word == "VmHWM:" && status >> kib) return kib / 1'024;
  }
  KJ_FAIL_REQUIRE("a process does not tell its memory", process);
}

size_t mappings() {
  std::ifstream maps("/proc/self/maps");
  return static_cast<size_t>(
      std::count(std::istreambuf_iterator<char>(maps), std::istreambuf_iterator<char>(), '\n'));
}

nlohmann::json inOwnProcess(const std::function<nlohmann::json()>& measure) {
  int ends[2];
  KJ_SYSCALL(pipe(ends));
  kj::AutoCloseFd in(ends[0]), out(ends[1]);
  pid_t child;
  KJ_SYSCALL(child = fork());
  if (child == 0) answer(measure, kj::mv(out));
  out = nullptr;
  auto text = kj::FdInputStream(in.get()).readAllText();
  int status;
  KJ_SYSCALL(waitpid(child, &status, 0));
  KJ_REQUIRE(status == 0, "what was measured ended badly", status);
  return nlohmann::json::parse(text.cStr());
}

nlohmann::json medians(const std::vector<nlohmann::json>& rounds) {
  nlohmann::json result;
  for (auto& entry: rounds.at(0).items()) {
    std::vector<double> figures;
    for (auto& round: rounds) figures.push_back(round.at(entry.key()));
    std::ranges::sort(figures);
    result[entry.key()] = figures[figures.size() / 2];
  }
  return result;
}

}  // namespace hearth::bench

#include "apps/hearth-sim/swarm.h"

#include <kj/debug.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hearth::cli {

namespace {

using nlohmann::json;

struct Worker {
  pid_t pid = -1;
  int fd = -1;
  std::string buffer;
  size_t current = 0;  // index into the runs
  bool busy = false;
};

std::string encode(size_t index, const SwarmResult& result) {
  return json{{"run", index}, {"fingerprint", result.fingerprint}, {"virtual_s", result.virtualS},
             {"cpu_s", result.cpuS}, {"effects", result.effects}, {"violations", result.violations}}
             .dump(-1, ' ', true, json::error_handler_t::replace) +
      "\n";
}

void writeAll(int fd, const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    auto written = write(fd, text.data() + at, text.size() - at);
    if (written < 0 && errno != EINTR) _exit(1);
    if (written > 0) at += static_cast<size_t>(written);
  }
}

[[noreturn]] void work(const std::vector<SwarmRun>& runs, const sim::Catalogue& catalogue,
    size_t first, size_t step, int fd) {
  for (size_t i = first; i < runs.size(); i += step) {
    writeAll(fd, json{{"begins", i}}.dump() + "\n");
    SwarmResult result;
    auto died = kj::runCatchingExceptions([&]() {
      sim::Run run(*runs[i].scenario, catalogue, runs[i].seed);
      result = resultOf(run.go());
    });
    KJ_IF_MAYBE(e, died) result.violations.emplace_back(e->getDescription().cStr());
    writeAll(fd, encode(i, result));
  }
  _exit(0);
}

class Swarm {
 public:
  Swarm(const std::vector<SwarmRun>& runs, const std::function<bool(const SwarmResult&)>& told)
      : runs(runs),
        told(told),
        results(runs.size()),
        reached(runs.size()) {}

  ~Swarm() {
    for (auto& worker: workers) {
      if (worker.fd >= 0) close(worker.fd);
      if (worker.pid <= 0) continue;
      kill(worker.pid, SIGKILL);
      waitpid(worker.pid, nullptr, 0);
    }
  }

  void start(const sim::Catalogue& catalogue, unsigned jobs) {
    for (unsigned i = 0; i < jobs; ++i) {
      int ends[2];
      KJ_SYSCALL(pipe(ends));
      pid_t pid;
      KJ_SYSCALL(pid = fork());
      if (pid == 0) {
        close(ends[0]);
        work(runs, catalogue, i, jobs, ends[1]);
      }
      close(ends[1]);
      workers.push_back({.pid = pid, .fd = ends[0]});
    }
  }

  void gather() {
    for (bool goesOn = true; goesOn;) {
      std::vector<struct pollfd> waiting;
      for (auto& worker: workers) {
        if (worker.fd >= 0) waiting.push_back({worker.fd, POLLIN, 0});
      }
      if (waiting.empty()) return;
      poll(waiting.data(), waiting.size(), -1);
      for (auto& ready: waiting) {
        if (ready.revents != 0) goesOn &= read(workerOf(ready.fd));
      }
    }
  }

  std::vector<SwarmResult> release() {
    std::vector<SwarmResult> all;
    for (size_t i = 0; i < results.size(); ++i) {
      if (reached[i]) all.push_back(std::move(results[i]));
    }
    return all;
  }

 private:
  const std::vector<SwarmRun>& runs;
  const std::function<bool(const SwarmResult&)>& told;
  std::vector<Worker> workers;
  std::vector<SwarmResult> results;
  std::vector<bool> reached;

  Worker& workerOf(int fd) {
    for (auto& worker: workers) {
      if (worker.fd == fd) return worker;
    }
    KJ_UNREACHABLE;
  }

  bool read(Worker& worker) {
    char chunk[65'536];
    auto got = ::read(worker.fd, chunk, sizeof(chunk));
    if (got > 0) {
      worker.buffer.append(chunk, static_cast<size_t>(got));
      return lines(worker);
    }
    close(worker.fd);
    worker.fd = -1;
    int status = 0;
    waitpid(worker.pid, &status, 0);
    worker.pid = -1;
    if (!worker.busy) return true;
    SwarmResult result;
    result.violations.push_back(WIFSIGNALED(status)
            ? std::string("the process died of ") + strsignal(WTERMSIG(status))
            : std::string("the process ended in the middle"));
    return tell(worker.current, std::move(result));
  }

  bool lines(Worker& worker) {
    bool goesOn = true;
    for (size_t end; (end = worker.buffer.find('\n')) != std::string::npos;) {
      auto line = json::parse(worker.buffer.substr(0, end));
      worker.buffer.erase(0, end + 1);
      if (line.contains("begins")) {
        worker.current = line["begins"];
        worker.busy = true;
        continue;
      }
      worker.busy = false;
      SwarmResult result{.fingerprint = line["fingerprint"],
          .virtualS = line["virtual_s"],
          .cpuS = line["cpu_s"],
          .effects = line["effects"],
          .violations = line["violations"]};
      goesOn &= tell(line["run"], std::move(result));
    }
    return goesOn;
  }

  bool tell(size_t index, SwarmResult result) {
    result.scenario = runs[index].scenario->name;
    result.seed = runs[index].seed;
    results[index] = std::move(result);
    reached[index] = true;
    return told(results[index]);
  }
};

}  // namespace

SwarmResult resultOf(const sim::Outcome& outcome) {
  SwarmResult result{.scenario = outcome.scenario,
      .seed = outcome.seed,
      .fingerprint = outcome.fingerprint,
      .virtualS = outcome.virtualS,
      .cpuS = outcome.cpuS,
      .effects = outcome.effects};
  for (auto& violation: outcome.violations)
    result.violations.push_back(violation.checker + ": " + violation.text);
  return result;
}

std::vector<SwarmResult> swarm(const std::vector<SwarmRun>& runs, const sim::Catalogue& catalogue,
    unsigned jobs, const std::function<bool(const SwarmResult&)>& told) {
  Swarm swarm(runs, told);
  swarm.start(catalogue, jobs);
  swarm.gather();
  return swarm.release();
}

}  // namespace hearth::cli

#pragma once
// Starts a plugin's program in its sandbox (SECURITY.md §8.2 and §8.2a, Linux). There is no way to
// start one without.
//
//   clone3 into new namespaces -> files copied, hashed, sealed -> own read-only root -> descriptors
//   -> limits -> no capabilities -> Landlock -> first system-call filter -> execveat
//
// The child is process 1 of its own pid namespace and dies with the thread that has launched it.

#include "router/engine/bundle/bundle.h"
#include "router/engine/sandbox/launch-plan.h"

#include <kj/io.h>

namespace hearth::engine {

class Launched final {
 public:
  static constexpr size_t LOG_BYTES_MAX = 64 << 10;  // kept of what the plugin writes to stderr

  Launched(pid_t pid, kj::AutoCloseFd control, kj::AutoCloseFd log, kj::AutoCloseFd failure)
      : control(kj::mv(control)),
        pid(pid),
        log(kj::mv(log)),
        failure(kj::mv(failure)) {}
  Launched(Launched&& other) noexcept;
  ~Launched() noexcept(false);  // kills and waits: a destroyed child leaves no zombie
  KJ_DISALLOW_COPY(Launched);

  kj::AutoCloseFd control;  // our end of the plugin's descriptor 3

  pid_t id() const { return pid; }  // 0 once reaped
  void kill();

  struct Exit {
    int status;  // as waitpid has it
    kj::Duration cpuTime;
  };
  // How it ended, once it has; reaps it. Never blocks.
  kj::Maybe<Exit> tryReap();

  // CPU time of the process and its threads so far; none once it is reaped.
  kj::Maybe<kj::Duration> cpuTime() const;

  // The step that failed on the way to exec. None while it is on its way, or got there.
  kj::Maybe<LaunchFailure> failedStep();

  // What it has written to stderr since the last call, LOG_BYTES_MAX at most; never blocks.
  kj::String takeLog();

 private:
  pid_t pid;  // 0 once reaped or moved away
  kj::AutoCloseFd log;
  kj::AutoCloseFd failure;
};

// Blocks for the time of a fork only. The bundle's files are read by the child.
// Errors: SANDBOX_UNAVAILABLE, naming what this system lacks. A step that fails in the child shows
// as the end of `control` and in failedStep().
Result<Launched> launch(const Bundle& bundle, const Quotas& quotas);

// SANDBOX_UNAVAILABLE or INTEGRITY_FAILED, with a sentence that names the step.
Error errorOf(const LaunchFailure& failure);

}  // namespace hearth::engine

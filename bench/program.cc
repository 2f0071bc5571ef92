#include "bench/program.h"

#include <kj/debug.h>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hearth::bench {

namespace {

std::string pathOf(const std::string& name) {
  auto* folder = getenv("HEARTH_BIN");
  if (folder != nullptr) return std::string(folder) + "/" + name;
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name).string();
}

void becomeStandard(int standard, const std::string& path, int how) {
  int fd = open(path.c_str(), how, 0600);
  if (fd < 0 || dup2(fd, standard) < 0) _exit(126);
}

}  // namespace

Program::Program(const Begin& begin) {
  auto path = pathOf(begin.name);
  std::vector<char*> words{path.data()};
  auto arguments = begin.arguments;
  for (auto& argument: arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  int ends[2];
  KJ_SYSCALL(pipe2(ends, O_CLOEXEC));
  printed = kj::AutoCloseFd(ends[0]);
  kj::AutoCloseFd out(ends[1]);
  KJ_SYSCALL(child = fork());
  if (child > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  becomeStandard(STDIN_FILENO, begin.input, O_RDONLY);
  becomeStandard(STDERR_FILENO, begin.log, O_WRONLY | O_CREAT | O_APPEND);
  if (dup2(out.get(), STDOUT_FILENO) < 0) _exit(126);
  execv(path.c_str(), words.data());
  _exit(127);
}

Program::~Program() {
  if (child < 0) return;
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

std::string Program::line() {
  std::string found;
  for (char letter; kj::FdInputStream(printed.get()).tryRead(&letter, 1, 1) == 1;) {
    if (letter == '\n') return found;
    found.push_back(letter);
  }
  KJ_FAIL_REQUIRE("a program ended before it had said what it was to say", found.c_str());
}

std::string Program::rest() { return kj::FdInputStream(printed.get()).readAllText().cStr(); }

int Program::wait() {
  KJ_REQUIRE(child >= 0, "it has been waited for already");
  int status;
  KJ_SYSCALL(waitpid(child, &status, 0));
  child = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Program::signal(int number) { KJ_SYSCALL(kill(child, number)); }

}  // namespace hearth::bench

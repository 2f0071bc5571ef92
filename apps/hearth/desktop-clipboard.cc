#include "apps/hearth/desktop-clipboard.h"

#include "apps/hearth/output.h"
#include "storage/crdt/varint.h"

#include <kj/common.h>
#include <kj/io.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hearth::cli {

namespace {

bool isInPath(const std::string& tool) {
  std::string path = getenv("PATH") == nullptr ? "" : getenv("PATH");
  for (size_t begin = 0; begin <= path.size();) {
    auto end = std::min(path.find(':', begin), path.size());
    if (access((path.substr(begin, end - begin) + "/" + tool).c_str(), X_OK) == 0) return true;
    begin = end + 1;
  }
  return false;
}

bool isSet(const char* variable) {
  auto* value = getenv(variable);
  return value != nullptr && *value != '\0';
}

struct Pipe {
  kj::AutoCloseFd from, to;
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw Failure{FAILED, "no descriptor is left"};
    from = kj::AutoCloseFd(ends[0]);
    to = kj::AutoCloseFd(ends[1]);
  }
};

// Its input and output are what is given; 0 where that is nothing.
pid_t begin(const std::vector<std::string>& command, int input, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  KJ_DEFER(posix_spawn_file_actions_destroy(&actions));
  auto connect = [&](int fd, int as, int flags) {
    if (fd > 0) {
      posix_spawn_file_actions_adddup2(&actions, fd, as);
    } else {
      posix_spawn_file_actions_addopen(&actions, as, "/dev/null", flags, 0);
    }
  };
  connect(input, STDIN_FILENO, O_RDONLY);
  connect(output, STDOUT_FILENO, O_WRONLY);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<char*> arguments;
  for (auto& word: command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ) != 0)
    throw Failure{FAILED, command[0] + " cannot be run"};
  return child;
}

bool endsWell(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Milliseconds that are left of the patience.
int leftOf(std::chrono::steady_clock::time_point end) {
  auto left = end - std::chrono::steady_clock::now();
  return std::max(
      0, static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(left).count()));
}

}  // namespace

DesktopClipboard DesktopClipboard::find() {
  if (isSet("WAYLAND_DISPLAY") && isInPath("wl-paste") && isInPath("wl-copy"))
    return {{"wl-paste", "--no-newline", "--type", "text"}, {"wl-copy", "--type", "text/plain"}};
  if (isSet("DISPLAY") && isInPath("xclip"))
    return {{"xclip", "-selection", "clipboard", "-o"}, {"xclip", "-selection", "clipboard", "-i"}};
  throw Failure{FAILED,
      "there is no desktop whose clipboard can be shared: run this within one, with wl-clipboard or xclip installed"};
}

std::optional<std::string> DesktopClipboard::read() const {
  Pipe out;
  auto child = begin(reading, 0, out.to);
  out.to = nullptr;
  std::string text;
  auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(PATIENCE_MS);
  bool isWhole = false;
  while (text.size() <= BYTES_MAX) {
    pollfd ready{out.from.get(), POLLIN, 0};
    if (poll(&ready, 1, leftOf(end)) <= 0) break;
    char piece[64 << 10];
    auto got = ::read(out.from, piece, sizeof(piece));
    if (got < 0 && errno == EINTR) continue;
    isWhole = got == 0;
    if (got <= 0) break;
    text.append(piece, static_cast<size_t>(got));
  }
  if (!isWhole) kill(child, SIGKILL);
  bool isGood = endsWell(child) && isWhole && !text.empty() && storage::isUtf8(text);
  if (!isGood) return std::nullopt;
  return text;
}

// The tools stay behind as whoever owns the selection, and go on when another one does.
void DesktopClipboard::write(const std::string& text) const {
  Pipe in;
  auto child = begin(writing, in.from, 0);
  in.from = nullptr;
  size_t written = 0;
  while (written < text.size()) {
    auto put = ::write(in.to, text.data() + written, text.size() - written);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) break;
    written += static_cast<size_t>(put);
  }
  in.to = nullptr;
  if (!endsWell(child) || written < text.size())
    throw Failure{FAILED, writing[0] + " does not take what is copied"};
}

}  // namespace hearth::cli

#include "apps/home/passphrase.h"

#include <kj/debug.h>
#include <kj/io.h>

#include <cstdlib>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

namespace hearth::apps {

namespace {

[[noreturn]] void refuse(kj::StringPtr line) {
  kj::throwFatalException(
      kj::Exception(kj::Exception::Type::FAILED, __FILE__, __LINE__, kj::str(line)));
}

// The first line, without its end. What comes behind it stays unread.
crypto::Secret readLine(int fd) {
  crypto::Scratch<PassphraseInput::BYTES_MAX> line;
  size_t size = 0;
  for (;;) {
    kj::byte next = 0;
    auto got = read(fd, &next, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse("the passphrase cannot be read");
    if (got == 0 || next == '\n') break;
    if (size == PassphraseInput::BYTES_MAX) refuse("a passphrase has at most 1024 bytes");
    line.begin()[size++] = next;
  }
  return crypto::Secret::copyOf(line.reveal().slice(0, size));
}

// The terminal that this process may ask at: none in the background, where reading would stop it.
class Terminal final {
 public:
  static kj::Maybe<Terminal> open() {
    int fd = ::open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (fd < 0) return nullptr;
    kj::AutoCloseFd owned(fd);
    if (tcgetpgrp(fd) != getpgrp()) return nullptr;
    return Terminal(kj::mv(owned));
  }

  crypto::Secret ask(kj::StringPtr question) {
    struct termios shown = {};
    KJ_SYSCALL(tcgetattr(fd, &shown));
    auto hidden = shown;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    KJ_SYSCALL(tcsetattr(fd, TCSAFLUSH, &hidden));
    KJ_DEFER(tcsetattr(fd, TCSAFLUSH, &shown));
    kj::FdOutputStream out(fd.get());
    out.write(question.begin(), question.size());
    auto line = readLine(fd);
    out.write("\n", 1);
    return line;
  }

 private:
  kj::AutoCloseFd fd;
  explicit Terminal(kj::AutoCloseFd fd): fd(kj::mv(fd)) {}
};

}  // namespace

kj::Maybe<crypto::Secret> PassphraseInput::given() const {
  if (file == "-") return readLine(STDIN_FILENO);
  std::string path = file;
  if (auto* folder = getenv("CREDENTIALS_DIRECTORY"); path.empty() && folder != nullptr) {
    path = std::string(folder) + "/hearth-passphrase";
    if (access(path.c_str(), R_OK) != 0) return nullptr;
  }
  if (path.empty()) return nullptr;
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) refuse(kj::str(path.c_str(), " cannot be read: name the file with the passphrase"));
  kj::AutoCloseFd owned(fd);
  return readLine(fd);
}

crypto::Secret PassphraseInput::ask(bool wrongBefore) {
  if (wrongBefore && (asked == 0 || asked == TRIES))
    refuse("the passphrase is not the one that this device's keys are sealed with");
  if (asked == 0) {
    auto known = given();
    KJ_IF_MAYBE(passphrase, known) return kj::mv(*passphrase);
  }
  KJ_IF_MAYBE(terminal, Terminal::open()) {
    ++asked;
    return terminal->ask(wrongBefore ? "That is another one. Passphrase of this device's keys: "_kj
                                     : "Passphrase of this device's keys: "_kj);
  }
  refuse("this device's keys are sealed with a passphrase: "
         "start this in a terminal, or give --passphrase-file FILE");
}

kj::Maybe<crypto::Secret> PassphraseInput::choose() {
  auto known = given();
  KJ_IF_MAYBE(passphrase, known) {
    if (passphrase->size() == 0) return nullptr;
    return kj::mv(*passphrase);
  }
  if (!offers) return nullptr;
  KJ_IF_MAYBE(terminal, Terminal::open()) {
    for (;;) {
      auto first = terminal->ask("A passphrase for this device's keys (empty: none): "_kj);
      if (first.size() == 0) return nullptr;
      auto again = terminal->ask("The same once more: "_kj);
      if (crypto::equalSecrets(first.reveal(), again.reveal())) return kj::mv(first);
    }
  }
  return nullptr;
}

}  // namespace hearth::apps

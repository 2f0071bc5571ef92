#include "apps/home/terminal.h"

#include <kj/debug.h>

#include <cerrno>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

namespace hearth::apps {

void refuse(kj::StringPtr line) {
  kj::throwFatalException(
      kj::Exception(kj::Exception::Type::FAILED, __FILE__, __LINE__, kj::str(line)));
}

crypto::Secret readSecretLine(int fd) {
  crypto::Scratch<SECRET_LINE_BYTES_MAX> line;
  size_t size = 0;
  for (;;) {
    kj::byte next = 0;
    auto got = read(fd, &next, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse("the passphrase or words cannot be read");
    if (got == 0 || next == '\n') break;
    if (size == SECRET_LINE_BYTES_MAX) refuse("a passphrase has at most 1024 bytes");
    line.begin()[size++] = next;
  }
  return crypto::Secret::copyOf(line.reveal().slice(0, size));
}

kj::Maybe<Terminal> Terminal::open() {
  int fd = ::open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (fd < 0) return nullptr;
  kj::AutoCloseFd owned(fd);
  if (tcgetpgrp(fd) != getpgrp()) return nullptr;
  return Terminal(kj::mv(owned));
}

crypto::Secret Terminal::ask(kj::StringPtr question) {
  struct termios shown = {};
  KJ_SYSCALL(tcgetattr(fd, &shown));
  auto hidden = shown;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  KJ_SYSCALL(tcsetattr(fd, TCSAFLUSH, &hidden));
  KJ_DEFER(tcsetattr(fd, TCSAFLUSH, &shown));
  kj::FdOutputStream out(fd.get());
  out.write(question.begin(), question.size());
  auto line = readSecretLine(fd);
  out.write("\n", 1);
  return line;
}

}  // namespace hearth::apps

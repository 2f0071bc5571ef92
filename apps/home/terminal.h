#pragma once
// What a person types that nobody may read over the shoulder, from the terminal or a file; and the one
// line that a command ends with when it cannot go on.

#include "crypto/primitives/secret.h"

#include <kj/io.h>

namespace hearth::apps {

// Throws FAILED with that line alone.
[[noreturn]] void refuse(kj::StringPtr line);

constexpr size_t SECRET_LINE_BYTES_MAX = 1'024;

// The first line, without its end. What comes behind it stays unread. Throws FAILED with one line.
crypto::Secret readSecretLine(int fd);

// The terminal that this process may ask at: none in the background, where reading would stop it.
class Terminal final {
 public:
  static kj::Maybe<Terminal> open();

  // What is typed does not show.
  crypto::Secret ask(kj::StringPtr question);

 private:
  kj::AutoCloseFd fd;
  explicit Terminal(kj::AutoCloseFd fd): fd(kj::mv(fd)) {}
};

}  // namespace hearth::apps

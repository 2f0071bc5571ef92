#include "apps/home/passphrase.h"

#include "apps/home/terminal.h"

#include <kj/debug.h>

#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

namespace hearth::apps {

kj::Maybe<crypto::Secret> PassphraseInput::given() const {
  if (file == "-") return readSecretLine(STDIN_FILENO);
  std::string path = file;
  if (auto* folder = getenv("CREDENTIALS_DIRECTORY"); path.empty() && folder != nullptr) {
    path = std::string(folder) + "/hearth-passphrase";
    if (access(path.c_str(), R_OK) != 0) return nullptr;
  }
  if (path.empty()) return nullptr;
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) refuse(kj::str(path.c_str(), " cannot be read: name the file with the passphrase"));
  kj::AutoCloseFd owned(fd);
  return readSecretLine(fd);
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

#pragma once
// Where the passphrase of this device's keys comes from: a file that was named, the service manager's
// credential "hearth-passphrase", or the person at the terminal. Never an argument, never the
// environment (SECURITY.md §11).

#include "devices/linux/linux-key-store.h"

#include <string>

namespace hearth::apps {

class PassphraseInput final: public devices::Passphrases {
 public:
  static constexpr int TRIES = 3;

  // `file`: a path, "-" for standard input, or empty. `offers`: whether a person who makes new keys is
  // asked for a passphrase; one that opens them is asked for wherever there is a terminal.
  PassphraseInput(std::string file, bool offers): file(kj::mv(file)), offers(offers) {}

  crypto::Secret ask(bool wrongBefore) override;
  kj::Maybe<crypto::Secret> choose() override;

 private:
  std::string file;
  bool offers;
  int asked = 0;

  kj::Maybe<crypto::Secret> given() const;
};

}  // namespace hearth::apps

#pragma once
// A home directory in memory with keys that a test's own person protects.

#include "devices/linux/linux-key-store.h"

#include <kj/debug.h>

#include <deque>

namespace hearth::devices {

// Says what it is told to, in order, and then gives up.
class ScriptedPassphrases final: public Passphrases {
 public:
  std::deque<kj::String> answers, choices;

  crypto::Secret ask(bool) override {
    KJ_REQUIRE(!answers.empty(), "nobody knows the passphrase");
    return next(answers);
  }
  kj::Maybe<crypto::Secret> choose() override {
    if (choices.empty()) return nullptr;
    return next(choices);
  }

 private:
  static crypto::Secret next(std::deque<kj::String>& from) {
    auto secret = crypto::Secret::copyOf(from.front().asBytes());
    from.pop_front();
    return secret;
  }
};

struct HomeInMemory {
  // The least that Argon2id may cost: tests are no thieves.
  static constexpr crypto::StretchCost CHEAP = {1, crypto::StretchCost::MEMORY_BYTES_MIN};

  SystemEntropy entropy;
  ScriptedPassphrases person;
  kj::Own<const kj::Directory> directory = kj::newInMemoryDirectory(kj::nullClock());
  LinuxKeyStore keys = store();

  // Another process's view of the same home.
  LinuxKeyStore store(kj::StringPtr tcti = "") {
    return LinuxKeyStore(*directory, entropy, person, tcti, CHEAP);
  }

  void write(kj::PathPtr path, kj::StringPtr text) { write(path, text.asBytes()); }
  void write(kj::PathPtr path, kj::ArrayPtr<const kj::byte> bytes) {
    auto mode = kj::WriteMode::CREATE | kj::WriteMode::MODIFY | kj::WriteMode::CREATE_PARENT;
    directory->openFile(path, mode)->writeAll(bytes);
  }
};

}  // namespace hearth::devices

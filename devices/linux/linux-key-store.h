#pragma once
// The platform root in a file of its owner's (mode 0600). It protects against a lost backup of the
// database, not against whoever can read the file: `hearth status` says so.

#include "devices/key-store.h"

#include <kj/filesystem.h>

namespace hearth::devices {

class FileKeyStore final: public KeyStore {
 public:
  // Both outlive the store.
  FileKeyStore(const kj::Directory& home, Entropy& entropy): home(home), entropy(entropy) {}

  crypto::PlatformRoot platformRoot() override;
  kj::StringPtr describe() const override {
    return "a file readable by this user alone; not sealed by hardware or a passphrase";
  }

 private:
  const kj::Directory& home;
  Entropy& entropy;
};

}  // namespace hearth::devices

#pragma once
// A key store that keeps its root in memory, the same one in every test.

#include "devices/key-store.h"
#include "tests/crypto/small-circle.h"

namespace hearth::devices {

class RootInMemory final: public KeyStore {
 public:
  const crypto::PlatformRoot& platformRoot() override { return root; }
  kj::StringPtr describe() const override { return "in memory"; }

 private:
  crypto::CountingEntropy chance{7};
  crypto::PlatformRoot root = crypto::PlatformRoot::draw(chance);
};

}  // namespace hearth::devices

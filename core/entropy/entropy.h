#pragma once
// Where all randomness comes from (DESIGN §3). Two implementations exist, SystemEntropy and the
// simulator's seeded stream; keys and encapsulations are derived from bytes drawn here through
// the seeded forms of libsodium, so that one seed replays a whole world.

#include <kj/array.h>

namespace hearth {

class Entropy {
 public:
  // Fills `out` with bytes fit for keys.
  virtual void fill(kj::ArrayPtr<kj::byte> out) = 0;

  template <typename T>
  T draw() {
    T value;
    fill(kj::arrayPtr(reinterpret_cast<kj::byte*>(&value), sizeof(value)));
    return value;
  }
};

// randombytes_buf of libsodium.
class SystemEntropy final: public Entropy {
 public:
  SystemEntropy();
  void fill(kj::ArrayPtr<kj::byte> out) override;
};

}  // namespace hearth

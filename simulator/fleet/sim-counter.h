#pragma once
// A machine's chip that counts: what no restored disk takes back.

#include "devices/rollback-counter.h"

namespace hearth::sim {

class SimCounter final: public devices::RollbackCounter {
 public:
  Result<kj::Maybe<uint64_t>> read() override { return stands; }
  Result<uint64_t> advance() override {
    auto next = stands.orDefault(0) + 1;
    stands = next;
    return next;
  }
  kj::StringPtr describe() const override { return "a simulated counter"; }

  kj::Maybe<uint64_t> now() const { return stands; }

 private:
  kj::Maybe<uint64_t> stands;
};

}  // namespace hearth::sim

#pragma once
// A home with a VAULT in it: two members that can be there together, one at a time, or not at all.

#include "tests/simulator/paired-home.h"

namespace hearth::sim {

struct VaultHome: Home {
  Profile vaultKind = profileOf("vault", {});
  NetworkIndex away = world.addNetwork(NetworkKind{.name = "away"});
  Device &phone = world.device("phone"), &laptop = world.device("laptop"),
         &vault = addAtHome(vaultKind);

  explicit VaultHome(uint64_t seed = 1): Home(seed) {
    world.add(people.pair(vault, phone, crypto::Role::VAULT).ignoreResult());
    world.run(60 * kj::SECONDS);
  }

  void run(kj::Duration span) { world.run(span); }
  static void leave(Device& device) { device.put({}); }
  void comeHome(Device& device) { device.put({wifi}); }

  static devices::Data& data(Device& device) { return KJ_ASSERT_NONNULL(device.node()).data(); }

  // Runs until it is done or the time is over. What it throws passes through.
  template <typename T>
  T await(kj::Promise<T> promise, kj::Duration within = 60 * kj::SECONDS) {
    kj::Maybe<T> result;
    kj::Maybe<kj::Exception> failed;
    bool isDone = false;
    auto running = promise
                       .then([&](T&& value) { result = kj::mv(value); },
                           [&](kj::Exception&& e) { failed = kj::mv(e); })
                       .then([&]() { isDone = true; })
                       .eagerlyEvaluate(nullptr);
    world.runUntil(world.time.now() + within, isDone);
    KJ_IF_MAYBE(e, failed) kj::throwFatalException(kj::mv(*e));
    return kj::mv(KJ_REQUIRE_NONNULL(result, "it took too long"));
  }
};

}  // namespace hearth::sim
